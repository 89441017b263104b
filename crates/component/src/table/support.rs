//! How far members do what the interface says.

use crate::model::{Support, SupportRow};

/// The members that do something else, or nothing, on some platforms or at all. Every other is
/// [effective](Support::Effective).
pub const SUPPORT: &[SupportRow] = &[
    reinterpreted(
        "ChannelDataEOL",
        "`on_data_in` tells of the channel's data, too, while this and `MaxChannelDataLength` are set for the client's \
         connection, whose number stands for the channel's",
    ),
    reinterpreted("ChannelDataEOLFound", "told within `on_data_in`, of data of a channel"),
    reinterpreted("MaxChannelDataLength", "see `ChannelDataEOL`"),
    reinterpreted(
        "DefaultConnectionTimeout",
        "kept; clients shake no hands here, and a SOCKS client has a limit of its own",
    ),
    reinterpreted("EnablePageantAuth", "the agent of `SSH_AUTH_SOCK`, except on Windows"),
    reinterpreted("LicenseInfo", "there are no keys to the product: it says by which licence it may be used"),
    reinterpreted("ProcessIdleEvents", "kept; there is no message loop that would deliver events by itself"),
    platform("KerberosDelegation", "systems with a GSSAPI library"),
    platform("KerberosRealm", "systems with a GSSAPI library"),
    platform("KerberosSPN", "systems with a GSSAPI library"),
    platform("KeepAliveInterval", "systems that let programs set it; they count whole seconds"),
    platform("KeepAliveRetryCount", "Linux"),
    platform("KeepAliveTime", "systems that let programs set it; they count whole seconds"),
    platform("UseIOCP", "kept; has no effect outside Windows, nor does the runtime need to be told there"),
    platform("UseWindowsMessages", "kept; has no effect outside Windows, nor is it needed there"),
    reinterpreted("UseFIPSCompliantAPI", "wherever OpenSSL 3 has its FIPS provider, on any system"),
    platform(
        "UseInternalSecurityAPI",
        "False is OpenSSL 3, loaded at run time; on Windows, where it is the default, it means our own cryptography unless \
         it is set",
    ),
];

/// How far a member does what the interface says, and what it does instead.
pub fn support(member: &str) -> (Support, &'static str) {
    let row = SUPPORT.iter().find(|row| row.member.eq_ignore_ascii_case(member));
    row.map_or((Support::Effective, ""), |row| (row.support, row.note))
}

const fn reinterpreted(member: &'static str, note: &'static str) -> SupportRow {
    SupportRow { member, support: Support::Reinterpreted, note }
}

const fn platform(member: &'static str, note: &'static str) -> SupportRow {
    SupportRow { member, support: Support::PlatformBound, note }
}
