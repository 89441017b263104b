"""Algorithms for which asyncssh has the machinery but no name, on OpenSSL's primitives."""

from asyncssh import encryption, mac
from asyncssh.crypto import cipher
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


class TripleDesCtr:
    """3des-ctr (RFC 4344 section 4), one direction. OpenSSL has the cipher, but no counter mode of it."""

    def __init__(self, key, iv):
        self._blocks = Cipher(TripleDES(key), modes.ECB()).encryptor()
        self._counter = int.from_bytes(iv, "big")

    def encrypt(self, data):
        counters = range(self._counter, self._counter + len(data) // 8)
        self._counter = counters.stop
        stream = self._blocks.update(b"".join((at % 2**64).to_bytes(8, "big") for at in counters))
        both = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
        return both.to_bytes(len(data), "big")

    decrypt = encrypt


class TripleDesCtrEncryption(encryption.BasicEncryption):
    """Packets under it."""

    @classmethod
    def new(cls, cipher_name, key, iv, mac_alg=b"", mac_key=b"", etm=False):
        kind = encryption.ETMEncryption if etm else cls
        return kind(TripleDesCtr(key, iv), mac.get_mac(mac_alg, mac_key))


def register():
    """Adds 3des-ctr, hmac-ripemd160 and hmac-ripemd160-96."""
    cipher.register_cipher("des3-ctr", 24, 8, 8)
    encryption.register_encryption_alg(b"3des-ctr", TripleDesCtrEncryption, "des3-ctr", False)
    for name, length in ((b"hmac-ripemd160", 20), (b"hmac-ripemd160-96", 12)):
        mac.register_mac_alg(name, 20, length, False, mac._HMAC, ("ripemd160",), False)
