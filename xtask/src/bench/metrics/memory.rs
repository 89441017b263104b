//! Memory that an open, silent connection costs the client.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::bed::Bed;
use crate::bench::clients::Running;
use crate::bench::load::Echo;

pub(super) const METRIC: Metric = Metric {
    name: "memory",
    figures: &[Figure {
        title: "memory per idle connection",
        unit: "KiB",
        digits: 1,
        goal: Some(Goal::AtMost(0.35)),
    }],
    delay: Duration::ZERO,
    measure,
};

fn measure(_: &Bed, client: &Running, sizes: &Sizes) -> Result<Vec<f64>> {
    thread::sleep(SETTLE);
    let before = client.process.resident()?;
    // Each has carried a byte both ways: it is open to the far end, not merely accepted.
    let open = (0..sizes.idle).map(|_| Echo::open(client.address)).collect::<Result<Vec<_>>>()?;
    thread::sleep(SETTLE);
    let after = client.process.resident()?;
    let grown = after.saturating_sub(before) as f64 / open.len() as f64;
    Ok(vec![grown / 1024.0])
}

/// Lets the client finish what it does after a byte has passed.
const SETTLE: Duration = Duration::from_millis(300);
