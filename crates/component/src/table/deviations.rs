//! Where we differ on purpose.

use crate::model::Deviation;

/// Members whose default is not the one of the interface.
pub const DEVIATIONS: &[Deviation] = &[Deviation {
    member: "ClientSSHVersionString",
    reason: "it tells servers and their logs which product this is, and ours is not another vendor's",
}];
