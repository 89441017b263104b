"""Writes a private key in every format that Python's `cryptography` has, and in two of JSON and XML.

Takes the path of a key in OpenSSH's format, a directory, and a passphrase. Each line that it prints is a file: its name
in the directory, and `encrypted` or `plain`.
"""

import base64
import datetime
import json
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID


def certificate(key):
    """A certificate of the key, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=30))
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def number(value, length=None):
    """Big-endian bytes."""
    return value.to_bytes(length or (value.bit_length() + 7) // 8, "big")


def jwk(key):
    """The members of a JSON Web Key, or None for DSA, which has none."""
    encode = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "d": encode(key.private_bytes_raw()),
            "x": encode(key.public_key().public_bytes_raw()),
        }
    if isinstance(key, dsa.DSAPrivateKey):
        return None
    numbers = key.private_numbers()
    public = numbers.public_numbers
    if isinstance(key, ec.EllipticCurvePrivateKey):
        length = (key.curve.key_size + 7) // 8
        values = {"x": public.x, "y": public.y, "d": numbers.private_value}
        return {"kty": "EC", "crv": f"P-{key.curve.key_size}"} | {
            name: encode(number(value, length)) for name, value in values.items()
        }
    values = rsa_values(numbers)
    return {"kty": "RSA"} | {name: encode(number(value)) for name, value in zip(RSA_JWK, values)}


def xml(key):
    """The key as .NET writes it, or None for types that it does not write."""
    encode = lambda value: base64.b64encode(number(value)).decode()
    if isinstance(key, rsa.RSAPrivateKey):
        kind, names, values = "RSAKeyValue", RSA_XML, rsa_values(key.private_numbers())
    elif isinstance(key, dsa.DSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        group = public.parameter_numbers
        kind, names = "DSAKeyValue", ("P", "Q", "G", "Y", "X")
        values = (group.p, group.q, group.g, public.y, numbers.x)
    else:
        return None
    parts = "".join(f"<{name}>{encode(value)}</{name}>" for name, value in zip(names, values))
    return f"<{kind}>{parts}</{kind}>"


RSA_JWK = ("n", "e", "d", "p", "q", "dp", "dq", "qi")
RSA_XML = ("Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ")


def rsa_values(numbers):
    """In the order of the names above."""
    public = numbers.public_numbers
    return (public.n, public.e, numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)


def files(key, passphrase):
    """Pairs of a file's name and its content."""
    encrypted, plain = BestAvailableEncryption(passphrase), NoEncryption()
    yield "pkcs8.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain)
    yield "pkcs8.der", key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, plain)
    yield "pkcs8-encrypted.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted)
    yield "pkcs8-encrypted.der", key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encrypted)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        yield "traditional.pem", key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, plain)
        yield "traditional-encrypted.pem", key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encrypted)
    own = certificate(key)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain)
    yield "with-certificate.pem", own.public_bytes(Encoding.PEM) + pem
    yield "store-encrypted.p12", pkcs12.serialize_key_and_certificates(b"me", key, own, None, encrypted)
    legacy = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1000)
    legacy = legacy.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())
    yield "old-store-encrypted.p12", pkcs12.serialize_key_and_certificates(
        b"me", key, own, None, legacy.build(passphrase)
    )
    if (members := jwk(key)) is not None:
        yield "key.jwk", json.dumps(members).encode()
    if (text := xml(key)) is not None:
        yield "key.xml", text.encode()


def main():
    """Writes the files."""
    source, directory, passphrase = sys.argv[1:]
    key = serialization.load_ssh_private_key(pathlib.Path(source).read_bytes(), None)
    for name, content in files(key, passphrase.encode()):
        (pathlib.Path(directory) / name).write_bytes(content)
        print(name, "encrypted" if "encrypted" in name else "plain")


main()
