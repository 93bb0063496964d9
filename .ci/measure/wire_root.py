"""A certificate authority that a function trusts for as long as a measurement takes.

The functions have their root certificates compiled in, and nothing in their environment can add one: what could
would be a way into a deployed shop. So what is measured is a copy of the bootstrap as it is released, in which the
public key of one root, the same number of bytes of it, is replaced by that of a key made here. Not an instruction
differs. The chain is as long as those that AWS sends, with keys of the same kind.
"""

import datetime
import ipaddress
import ssl
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The root that DynamoDB's chain ends in, an RSA key of 2048 bits.
REPLACED = "Amazon Root CA 1"


def replaced():
    _, _, labelled = Path(certifi.where()).read_text().partition(f'# Label: "{REPLACED}"')
    return x509.load_pem_x509_certificate(labelled[labelled.index("-----BEGIN") :].encode())


def modulus(public_key):
    number = public_key.public_numbers().n
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


class Authority:
    """Writes a server's chain for `localhost` to a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.original = replaced()
        self.key = rsa.generate_private_key(65537, self.original.public_key().key_size)
        name = self.original.subject
        root = self.certificate(name, name, self.key, self.key, is_authority=True)
        between_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        between_name, server = self.named("Between"), self.named("localhost")
        between = self.certificate(between_name, name, between_key, self.key, is_authority=True)
        leaf = self.certificate(server, between_name, key, between_key, is_authority=False)
        pem = serialization.Encoding.PEM
        # For those who are told whom to trust.
        self.root = self.folder / "root.pem"
        self.root.write_bytes(root.public_bytes(pem))
        chain = self.folder / "chain.pem"
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain.write_bytes(private + leaf.public_bytes(pem) + between.public_bytes(pem))
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(chain)

    @staticmethod
    def named(common_name):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

    @staticmethod
    def certificate(subject, issuer, key, issuer_key, is_authority):
        now = datetime.datetime.now(datetime.timezone.utc)
        of_key, of_issuer = (x509.SubjectKeyIdentifier.from_public_key(one.public_key()) for one in (key, issuer_key))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(of_key, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(of_issuer), critical=False)
        )
        if is_authority:
            usage = dict.fromkeys(("key_cert_sign", "crl_sign"), True)
        else:
            usage = {"digital_signature": True, "key_encipherment": True}
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        known = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
        usage = x509.KeyUsage(**{name: usage.get(name, False) for name in known})
        return builder.add_extension(usage, critical=True).sign(issuer_key, hashes.SHA256())

    def trusted_by(self, bootstrap):
        """A copy of the bootstrap that trusts this authority in place of the root it replaces."""
        program, key = bootstrap.read_bytes(), modulus(self.original.public_key())
        if program.count(key) != 1:
            raise SystemExit(f"{bootstrap} has the key of {REPLACED} {program.count(key)} times, and should have it once")
        copy = self.folder / bootstrap.name
        copy.write_bytes(program.replace(key, modulus(self.key.public_key())))
        copy.chmod(0o755)
        return copy
