//! The numbers of SOCKS 5, for both sides.

pub(crate) const VERSION: u8 = 5;

/// RFC 1928 section 4.
pub(crate) const CONNECT: u8 = 1;

/// RFC 1929 section 2.
pub(crate) const CREDENTIALS_VERSION: u8 = 1;

/// RFC 1928 section 3.
pub(crate) mod method {
    pub(crate) const NO_AUTHENTICATION: u8 = 0;
    pub(crate) const CREDENTIALS: u8 = 2;
    pub(crate) const NONE_ACCEPTABLE: u8 = 0xff;
}

/// RFC 1928 section 5.
pub(crate) mod address_type {
    pub(crate) const IPV4: u8 = 1;
    pub(crate) const NAME: u8 = 3;
    pub(crate) const IPV6: u8 = 4;
}

/// RFC 1928 section 6.
pub(crate) mod reply {
    pub(crate) const SUCCEEDED: u8 = 0;
    pub(crate) const GENERAL_FAILURE: u8 = 1;
    pub(crate) const NOT_ALLOWED: u8 = 2;
    pub(crate) const NETWORK_UNREACHABLE: u8 = 3;
    pub(crate) const HOST_UNREACHABLE: u8 = 4;
    pub(crate) const CONNECTION_REFUSED: u8 = 5;
    pub(crate) const TTL_EXPIRED: u8 = 6;
    pub(crate) const COMMAND_NOT_SUPPORTED: u8 = 7;
    pub(crate) const ADDRESS_TYPE_NOT_SUPPORTED: u8 = 8;
}
