//! What most tests begin with.

use std::time::Duration;

use underpass_proto::error::PeerMisbehaved;
use underpass_proto::{Config, Error, Role};
use underpass_testkit::duel::Duel;
use underpass_testkit::link::Weather;
use underpass_testkit::pair::Setup;
use underpass_wire::Number;

/// How often keys are renewed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renewal {
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
}

pub(crate) const RARE: Renewal = Renewal { bytes: u64::MAX, packets: u64::MAX };

/// Every scenario of a tunnel is run under each of these: calm and rough links, rare and absurdly frequent key
/// exchanges.
pub(crate) fn conditions() -> impl Iterator<Item = Setup> {
    const RENEWALS: [Renewal; 5] = [
        RARE,
        Renewal { bytes: 1 << 10, packets: u64::MAX },
        Renewal { bytes: 16 << 10, packets: u64::MAX },
        Renewal { bytes: 64 << 10, packets: u64::MAX },
        Renewal { bytes: u64::MAX, packets: 8 },
    ];
    let weathers = [(1, Weather::CALM), (2, Weather::ROUGH), (3, Weather::ROUGH)];
    RENEWALS.into_iter().flat_map(move |renewal| {
        weathers.map(|(seed, weather)| {
            let mut setup = under(seed, weather, renewal);
            // The sides differ, so that either begins.
            setup.server.rekey_bytes = renewal.bytes.saturating_mul(2);
            setup
        })
    })
}

/// One combination.
pub(crate) fn under(seed: u64, weather: Weather, renewal: Renewal) -> Setup {
    let config = Config { rekey_bytes: renewal.bytes, rekey_packets: renewal.packets, ..Config::default() };
    Setup { weather, client: config.clone(), server: config, ..Setup::new(seed) }
}

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The engine has ended because of a message that had no place there.
#[track_caller]
pub(crate) fn expect_unexpected(mut duel: Duel, expected: Number) {
    let error = duel.expect_end();
    assert!(
        matches!(error, Error::Peer(PeerMisbehaved::Unexpected { number, .. }) if number == expected),
        "{error}"
    );
}
