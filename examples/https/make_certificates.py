"""Makes an authority of your own and a certificate that it signed, for trying https on this machine.

    python examples/https/make_certificates.py FOLDER NAME [NAME ...]

FOLDER then holds `ca.pem`, which clients must trust, and for the first NAME `NAME.pem` with its key `NAME.key`, good
for all the NAMEs for 90 days. With `--client`, the certificate is one that a client shows. An authority that is there
already is used again, so a second call makes a second certificate, or renews the first. Keep `ca.key` to yourself:
whoever has it can make certificates that those who trust `ca.pem` believe.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey


def make(
    folder: Path, names: list[str], *, client: bool = False, days: float = 90, begins: float = 0
) -> tuple[Path, Path]:
    """Make a certificate for `names`; the paths of the certificate and of its key.

    begins: days from now at which it begins to count, for trying what happens with others
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    certificate = (
        _begun(names[0], key, begins, days)
        .issuer_name(ca.subject)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    file = folder / names[0].replace("*", "_").replace(":", "-")
    _write_key(file.with_name(file.name + ".key"), key)
    cert = file.with_name(file.name + ".pem")
    cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return cert, file.with_name(file.name + ".key")


def _authority(folder: Path) -> tuple[x509.Certificate, Key]:
    """The folder's authority; made if there is none."""
    cert_file, key_file = folder / "ca.pem", folder / "ca.key"
    if key_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate(cert_file.read_bytes()), key
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = _begun("dockerproxy example authority", key, 0, 3650)
    certificate = (
        builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dockerproxy example authority")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _begun(name: str, key: Key, begins: float, days: float) -> x509.CertificateBuilder:
    # A little back, for clocks that are a little behind.
    start = datetime.now(UTC) - timedelta(hours=1) + timedelta(days=begins)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )


def _signs_certificates() -> x509.KeyUsage:
    others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
              "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **dict.fromkeys(others, False))


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: Key) -> None:
    """For the eyes of this user only."""
    form = serialization.PrivateFormat.PKCS8
    data = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def main() -> None:
    """Make what the command line asks for, and say where it is."""
    parser = argparse.ArgumentParser(description="Make a certificate for trying https, and an authority that signs it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME", help="a domain, *.domain or an IP address")
    parser.add_argument("--client", action="store_true", help="make a certificate that a client shows")
    given = parser.parse_args()
    cert, key = make(given.folder, given.names, client=given.client)
    print(f"{cert} and {key}, signed by {given.folder / 'ca.pem'}")


if __name__ == "__main__":
    main()
