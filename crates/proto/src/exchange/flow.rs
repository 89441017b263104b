//! The messages of a method: one each way, or a group first.

use underpass_crypto::{Agreement, Encoding, GroupSizes, Kex, KexMethod};
use underpass_wire::{
    KexDhGexInit, KexDhGexReply, KexDhInit, KexDhReply, KexEcdhInit, KexEcdhReply, Mpint, Number,
};

use super::group::GroupExchange;
use super::unexpected;
use crate::error::Error;
use crate::outbox::Outbox;

/// A method under way.
pub(super) enum Flow {
    /// One message each way.
    Agreement(&'static dyn Agreement),
    /// A group is agreed on first.
    GroupExchange(GroupExchange),
}

/// What a server answers with.
pub(super) struct Reply<'a> {
    pub(super) host_key: &'a [u8],
    pub(super) public: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl Flow {
    pub(super) fn new(kex: &Kex, sizes: GroupSizes) -> Self {
        match kex.method {
            KexMethod::Agreement(agreement) => Self::Agreement(agreement),
            KexMethod::GroupExchange => Self::GroupExchange(GroupExchange::new(sizes, kex.proof)),
        }
    }

    /// Asks for a group. False if there is one already.
    pub(super) fn request_group(&self, out: &mut Outbox) -> Result<bool, Error> {
        match self {
            Self::Agreement(_) => Ok(false),
            Self::GroupExchange(exchange) => exchange.request(out).map(|()| true),
        }
    }

    /// The group exchange that the message with this number belongs to.
    pub(super) fn group_exchange(&mut self, number: Number) -> Result<&mut GroupExchange, Error> {
        match self {
            Self::GroupExchange(exchange) => Ok(exchange),
            Self::Agreement(_) => Err(unexpected(number)),
        }
    }

    /// Sends the client's public value by itself.
    pub(super) fn send_init(&self, public: &[u8], out: &mut Outbox) -> Result<(), Error> {
        let e = Mpint::from_magnitude(public);
        match self {
            Self::GroupExchange(_) => out.send(&KexDhGexInit { e }),
            Self::Agreement(agreement) => match agreement.public_encoding() {
                Encoding::String => out.send(&KexEcdhInit { client_public: public }),
                Encoding::Mpint => out.send(&KexDhInit { e }),
            },
        }
    }

    /// Sends the server's public value, its host key and the signature.
    pub(super) fn reply(&self, reply: &Reply<'_>, encoding: Encoding, out: &mut Outbox) -> Result<(), Error> {
        let Reply { host_key, public, signature } = *reply;
        let f = Mpint::from_magnitude(public);
        match (self, encoding) {
            (Self::GroupExchange(_), _) => out.send(&KexDhGexReply { host_key, f, signature }),
            (_, Encoding::String) => out.send(&KexEcdhReply { host_key, server_public: public, signature }),
            (_, Encoding::Mpint) => out.send(&KexDhReply { host_key, f, signature }),
        }
    }

    /// How the secret is agreed on; `None` as long as there is no group.
    pub(super) fn agreement(&self) -> Option<&dyn Agreement> {
        match self {
            Self::Agreement(agreement) => Some(*agreement),
            Self::GroupExchange(exchange) => exchange.group().map(|group| group as &dyn Agreement),
        }
    }

    /// What the exchange hash holds between the host key and the public values.
    pub(super) fn hashed(&self) -> &[u8] {
        match self {
            Self::Agreement(_) => &[],
            Self::GroupExchange(exchange) => exchange.hashed(),
        }
    }
}
