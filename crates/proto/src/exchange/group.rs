//! The group exchange (RFC 4419 section 3), up to the point where it is an agreement like others.
//!
//! ```text
//!  client                     server
//!    │ ── REQUEST min n max ──▶ │  picks a group
//!    │ ◀──── GROUP p g ──────── │
//!    │ ────── INIT e ─────────▶ │  the agreement
//!    │ ◀── REPLY K_S f sig ──── │
//! ```
//!
//! Where a GSS-API mechanism proves who the server is, the first two have other numbers (RFC 4462 section 2.2). Old clients send a request with n alone (section 5); we answer it, and do not send it.

use underpass_crypto::{DhGroup, GroupSizes, Proof};
use underpass_wire::{KexDhGexGroup, KexDhGexRequest, KexGssGroupReq, Mpint, Number, Put as _};

use super::unexpected;
use crate::error::Error;
use crate::outbox::Outbox;

pub(super) struct GroupExchange {
    sizes: GroupSizes,
    proof: Proof,
    chosen: Option<Chosen>,
}

struct Chosen {
    group: DhGroup,
    /// The request and the group, as they enter the exchange hash.
    hashed: Vec<u8>,
}

/// What a client asks for.
pub(crate) enum GroupRequest {
    /// The usual request.
    Range(KexDhGexRequest),
    /// The old one: the preferred size alone.
    Preferred(u32),
}

impl GroupExchange {
    pub(super) fn new(sizes: GroupSizes, proof: Proof) -> Self {
        Self { sizes, proof, chosen: None }
    }

    /// Client role: asks for a group.
    pub(super) fn request(&self, out: &mut Outbox) -> Result<(), Error> {
        let request = self.our_request();
        let KexDhGexRequest { min, n, max } = request;
        match self.proof {
            Proof::HostKey => out.send(&request),
            Proof::Gss => out.send(&KexGssGroupReq { min, n, max }),
        }
    }

    fn our_request(&self) -> KexDhGexRequest {
        KexDhGexRequest { min: self.sizes.min(), n: self.sizes.preferred(), max: self.sizes.max() }
    }

    /// Client role: the group has come.
    pub(super) fn on_group(&mut self, p: &[u8], g: &[u8]) -> Result<(), Error> {
        if self.chosen.is_some() {
            return Err(unexpected(Number::KEX_DH_GEX_GROUP));
        }
        let group = DhGroup::offered(p, g, self.sizes)?;
        self.choose(&GroupRequest::Range(self.our_request()), group);
        Ok(())
    }

    /// Server role: picks a group and sends it.
    pub(super) fn on_request(&mut self, request: &GroupRequest, out: &mut Outbox) -> Result<(), Error> {
        if self.chosen.is_some() {
            return Err(unexpected(Number::KEX_DH_GEX_REQUEST));
        }
        let (min, n, max) = match request {
            GroupRequest::Range(request) => (request.min, request.n, request.max),
            GroupRequest::Preferred(n) => {
                let (min, max) = (self.sizes.min(), self.sizes.max());
                (min, (*n).clamp(min, max), max)
            }
        };
        let group = DhGroup::choose(self.sizes, min, n, max)?;
        let (p, g) = (group.prime(), group.generator());
        out.send(&KexDhGexGroup { p: Mpint::from_magnitude(&p), g: Mpint::from_magnitude(&g) })?;
        self.choose(request, group);
        Ok(())
    }

    fn choose(&mut self, request: &GroupRequest, group: DhGroup) {
        let mut hashed = Vec::new();
        match request {
            GroupRequest::Range(request) => {
                [request.min, request.n, request.max].into_iter().for_each(|size| hashed.put_u32(size));
            }
            GroupRequest::Preferred(n) => hashed.put_u32(*n),
        }
        hashed.put_mpint(&group.prime());
        hashed.put_mpint(&group.generator());
        self.chosen = Some(Chosen { group, hashed });
    }

    pub(super) fn group(&self) -> Option<&DhGroup> {
        self.chosen.as_ref().map(|chosen| &chosen.group)
    }

    pub(super) fn hashed(&self) -> &[u8] {
        self.chosen.as_ref().map_or(&[], |chosen| &chosen.hashed)
    }
}
