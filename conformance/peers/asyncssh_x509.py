"""x509v3-sign-rsa and x509v3-sign-dss for asyncssh, over the certificates that it has under the names of RFC 6187.

The drafts before that RFC left formats open. These are PKIX-SSH's: a key is a bare certificate, a signature bears the
algorithm's name, hashes are SHA-1, and a DSA signature is ASN.1.
"""

from asyncssh import connection, dsa, public_key, rsa
from asyncssh.packet import String

SIGN_RSA = b"x509v3-sign-rsa"
SIGN_DSS = b"x509v3-sign-dss"


def _named_in_full(key_class, name):
    """asyncssh takes `x509v3-` off the names of signatures, as RFC 6187 has it."""
    sign = key_class.sign

    def sign_named(self, data, sig_algorithm):
        if sig_algorithm == name:
            return String(name) + self.sign_ssh(data, name)
        return sign(self, data, sig_algorithm)

    key_class.sign = sign_named


def _dsa_in_asn1():
    sign, verify = dsa._DSAKey.sign_ssh, dsa._DSAKey.verify_ssh

    def sign_ssh(self, data, sig_algorithm):
        if sig_algorithm == SIGN_DSS:
            return String(self._key.sign(data, "sha1"))
        return sign(self, data, sig_algorithm)

    def verify_ssh(self, data, sig_algorithm, packet):
        if sig_algorithm == SIGN_DSS:
            return self._key.verify(data, packet.get_string(), "sha1")
        return verify(self, data, sig_algorithm, packet)

    dsa._DSAKey.sign_ssh, dsa._DSAKey.verify_ssh = sign_ssh, verify_ssh


def _bare_certificates():
    chain = public_key.SSHX509CertificateChain
    public_data, decode = chain._public_data, connection.decode_ssh_certificate

    def bare_or_chain(algorithm, certs, ocsp_responses):
        if algorithm in (SIGN_RSA, SIGN_DSS):
            return certs[0].public_data
        return public_data(algorithm, certs, ocsp_responses)

    def decode_bare(data, comment=None):
        if not data.startswith(b"\x30"):
            return decode(data, comment)
        certificate = public_key.import_certificate(data)
        name = SIGN_DSS if certificate.key.algorithm == b"ssh-dss" else SIGN_RSA
        return chain(name, [certificate], (), comment)

    chain._public_data = staticmethod(bare_or_chain)
    connection.decode_ssh_certificate = decode_bare


def register():
    """Adds both."""
    rsa._hash_algs[SIGN_RSA] = "sha1"
    for key_class, name in ((rsa.RSAKey, SIGN_RSA), (dsa._DSAKey, SIGN_DSS)):
        key_class.x509_algorithms += (name,)
        key_class.all_sig_algorithms = key_class.all_sig_algorithms | {name}
        public_key.register_x509_certificate_alg(name, False)
        _named_in_full(key_class, name)
    _dsa_in_asn1()
    _bare_certificates()
