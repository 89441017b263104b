//! The messages of a method: one each way, or a group first.

use underpass_crypto::{Agreement, Encoding, GroupSizes, Initiator, KexMethod};
use underpass_wire::{KexDhGexInit, KexDhGexReply, KexDhInit, KexDhReply, KexEcdhInit, KexEcdhReply, Mpint};

use super::group::GroupExchange;
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
    pub(super) fn new(method: KexMethod, sizes: GroupSizes) -> Self {
        match method {
            KexMethod::Agreement(agreement) => Self::Agreement(agreement),
            KexMethod::GroupExchange => Self::GroupExchange(GroupExchange::new(sizes)),
        }
    }

    /// The client's first message. Gives its half of the agreement, unless there is no group yet.
    pub(super) fn begin(&self, out: &mut Outbox) -> Result<Option<Box<dyn Initiator>>, Error> {
        match self {
            Self::Agreement(_) => self.initiate(out),
            Self::GroupExchange(exchange) => exchange.request(out).map(|()| None),
        }
    }

    /// Sends the client's public value, if there is a group to have one in.
    pub(super) fn initiate(&self, out: &mut Outbox) -> Result<Option<Box<dyn Initiator>>, Error> {
        let Some(agreement) = self.agreement() else { return Ok(None) };
        let initiator = agreement.initiate(out.entropy.as_mut())?;
        let public = initiator.public();
        match (self, agreement.public_encoding()) {
            (Self::GroupExchange(_), _) => out.send(&KexDhGexInit { e: Mpint::from_magnitude(public) }),
            (_, Encoding::String) => out.send(&KexEcdhInit { client_public: public }),
            (_, Encoding::Mpint) => out.send(&KexDhInit { e: Mpint::from_magnitude(public) }),
        }?;
        Ok(Some(initiator))
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
