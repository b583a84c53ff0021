"""Requests that nobody signs: links in a topic's messages, which a browser or a script follows.

On AWS they go to the service's own host; the lab has one address for all services.
https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
"""

import re
from typing import Any
from urllib.parse import parse_qs

_LINKS = {"ConfirmSubscription": "TopicArn", "Unsubscribe": "SubscriptionArn"}
_PEM = re.compile(r"/SimpleNotificationService-\w+\.pem")


def as_signed(environ: dict[str, Any]) -> None:
    """Name SNS and the region in a request that follows one of these links; leave all others."""
    if environ.get("HTTP_AUTHORIZATION"):
        return
    region = ""
    if _PEM.fullmatch(environ.get("PATH_INFO", "")):
        region = "us-east-1"
    else:
        asked = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        member = _LINKS.get(asked.get("Action", ""))
        arn = asked.get(member or "", "").split(":")
        region = arn[3] if len(arn) > 5 else ""
    if region:
        scope = f"Credential=link/20000101/{region}/sns/aws4_request"
        environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"
