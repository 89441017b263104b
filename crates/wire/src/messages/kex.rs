//! Key exchange methods. Their numbers overlap; the [`KexFamily`](crate::KexFamily) tells them apart.

use crate::{codec::Mpint, field::messages};

messages! {
    /// The client's public value (RFC 5656 section 4, RFC 8731 section 3).
    KexEcdhInit<'a> = KEX_ECDH_INIT {
        /// Q_C, or C_INIT of a hybrid.
        client_public: &'a [u8],
    }

    /// The server's public value and proof (RFC 5656 section 4).
    KexEcdhReply<'a> = KEX_ECDH_REPLY {
        /// K_S.
        host_key: &'a [u8],
        /// Q_S, or S_REPLY of a hybrid.
        server_public: &'a [u8],
        /// Of the exchange hash.
        signature: &'a [u8],
    }

    /// The client's public value (RFC 4253 section 8).
    KexDhInit<'a> = KEXDH_INIT {
        /// g^x mod p.
        e: Mpint<'a>,
    }

    /// The server's public value and proof (RFC 4253 section 8).
    KexDhReply<'a> = KEXDH_REPLY {
        /// K_S.
        host_key: &'a [u8],
        /// g^y mod p.
        f: Mpint<'a>,
        /// Of the exchange hash.
        signature: &'a [u8],
    }

    /// Asks for a group of one size (RFC 4419 section 5, for old servers).
    KexDhGexRequestOld = KEX_DH_GEX_REQUEST_OLD {
        /// Preferred size in bits.
        n: u32,
    }

    /// Asks for a group in a range of sizes (RFC 4419 section 3).
    KexDhGexRequest = KEX_DH_GEX_REQUEST {
        /// Smallest acceptable size in bits.
        min: u32,
        /// Preferred size in bits.
        n: u32,
        /// Largest acceptable size in bits.
        max: u32,
    }

    /// The group that the server chose (RFC 4419 section 3).
    KexDhGexGroup<'a> = KEX_DH_GEX_GROUP {
        /// Safe prime.
        p: Mpint<'a>,
        /// Generator.
        g: Mpint<'a>,
    }

    /// The client's public value (RFC 4419 section 3).
    KexDhGexInit<'a> = KEX_DH_GEX_INIT {
        /// g^x mod p.
        e: Mpint<'a>,
    }

    /// The server's public value and proof (RFC 4419 section 3).
    KexDhGexReply<'a> = KEX_DH_GEX_REPLY {
        /// K_S.
        host_key: &'a [u8],
        /// g^y mod p.
        f: Mpint<'a>,
        /// Of the exchange hash.
        signature: &'a [u8],
    }
}
