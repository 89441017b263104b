//! Round trip of one byte.

use std::time::Duration;

use anyhow::Result;

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::bed::Bed;
use crate::bench::clients::Running;
use crate::bench::load::Echo;
use crate::bench::stats;

pub(super) const METRIC: Metric = Metric {
    name: "latency",
    figures: &[
        Figure { title: "round trip, p50", unit: "µs", digits: 0, goal: Some(Goal::AtMost(1.1)) },
        Figure { title: "round trip, p99", unit: "µs", digits: 0, goal: None },
    ],
    delay: Duration::ZERO,
    measure,
};

fn measure(_: &Bed, client: &Running, sizes: &Sizes) -> Result<Vec<f64>> {
    let mut echo = Echo::open(client.address)?;
    for _ in 0..sizes.trips / 10 {
        echo.trip()?;
    }
    let mut trips = (0..sizes.trips).map(|_| echo.trip()).collect::<Result<Vec<_>>>()?;
    trips.sort_unstable();
    let micros = |share| stats::percentile(&trips, share).as_secs_f64() * 1e6;
    Ok(vec![micros(0.50), micros(0.99)])
}
