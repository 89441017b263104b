//! Connections opened, used for one byte and closed, per second.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::bed::Bed;
use crate::bench::clients::Running;
use crate::bench::load::{self, Echo};

pub(super) const METRIC: Metric = Metric {
    name: "connections",
    figures: &[
        Figure {
            title: "connections, one at a time",
            unit: "1/s",
            digits: 0,
            goal: Some(Goal::AtLeast(1.0)),
        },
        Figure { title: "connections, 8 at a time", unit: "1/s", digits: 0, goal: Some(Goal::AtLeast(1.0)) },
    ],
    delay: Duration::ZERO,
    measure,
};

fn measure(_: &Bed, client: &Running, sizes: &Sizes) -> Result<Vec<f64>> {
    [1, 8].into_iter().map(|threads| rate(client, sizes.connections, threads)).collect()
}

fn rate(client: &Running, connections: usize, threads: usize) -> Result<f64> {
    let address = client.address;
    let each = connections / threads;
    let start = Instant::now();
    load::parallel(threads, || (0..each).try_for_each(|_| Echo::open(address).map(drop)))?;
    Ok((each * threads) as f64 / start.elapsed().as_secs_f64())
}
