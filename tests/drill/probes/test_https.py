"""The http probe over TLS, with certificates made for the test."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drill.model import Goodness, ProbeSpec
from drill.probes.http import HttpProbe
from tests.drill.probes.scripted import Attempts, Place, Serve


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Give a file with a certificate for 127.0.0.1 that nobody else trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drill test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "certificate.pem"
    path.write_bytes(signed.public_bytes(pem) + private)
    return path


def serve_tls(serve: Serve, certificate: Path) -> int:
    """Start a service that speaks TLS and return its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(lambda *_: (200, {"region": "us-east-1"}), tls=context).port


class TestHttps:
    def test_trusted(
        self,
        serve: Serve,
        place: Place,
        attempts: Attempts,
        certificate: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A certificate that this machine trusts is accepted."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        context = place(serve_tls(serve, certificate), scheme="https")

        (seen,) = attempts(HttpProbe(ProbeSpec("clients", "http", 1, 5), context), 1)

        assert (Goodness.GOOD, "us-east-1") == (seen.goodness, seen.answered_by)

    def test_not_trusted(self, serve: Serve, place: Place, attempts: Attempts, certificate: Path) -> None:
        """Another one is bad, as it is for every client, and nothing was sent."""
        context = place(serve_tls(serve, certificate), scheme="https")

        (seen,) = attempts(HttpProbe(ProbeSpec("clients", "http", 1, 5), context), 1)

        assert (Goodness.BAD, "tls") == (seen.goodness, seen.detail["error"])
