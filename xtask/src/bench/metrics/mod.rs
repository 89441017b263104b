//! What is measured. A metric is one procedure that yields one or more figures; a figure is a row of the table.

mod connections;
mod distance;
mod latency;
mod memory;
mod transfer;

use std::time::Duration;

use anyhow::Result;

use super::bed::Bed;
use super::clients::Running;

/// A measuring procedure.
pub(crate) struct Metric {
    /// For `--only`.
    pub(crate) name: &'static str,
    /// The rows that `measure` fills, in its order.
    pub(crate) figures: &'static [Figure],
    /// One-way delay between the client and the far side.
    pub(crate) delay: Duration,
    pub(crate) measure: fn(&Bed, &Running, &Sizes) -> Result<Vec<f64>>,
}

/// A row of the table.
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    /// Digits after the point.
    pub(crate) digits: usize,
    /// What the ratio of Underpass to `ssh -L` should be.
    pub(crate) goal: Option<Goal>,
}

/// A bound for a ratio.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(crate) fn met_by(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(bound) => ratio <= bound,
            Self::AtLeast(bound) => ratio >= bound,
        }
    }
}

/// How much of everything. Bytes are counted in powers of ten.
pub(crate) struct Sizes {
    /// Bytes each way before the clock starts, so that windows and buffers have grown.
    pub(crate) warm_up: u64,
    /// Bytes of a measured transfer, over all its streams.
    pub(crate) transfer: u64,
    /// Round trips of one byte.
    pub(crate) trips: usize,
    /// Connections opened and closed, one after the other and again several at a time.
    pub(crate) connections: usize,
    /// Connections held open.
    pub(crate) idle: usize,
    /// Bytes of the download over distance, which also ends after `distance_window`.
    pub(crate) distance: u64,
    pub(crate) distance_window: Duration,
}

impl Sizes {
    pub(crate) const FULL: Self = Self {
        warm_up: 128 * MEGABYTE,
        transfer: 2_000 * MEGABYTE,
        trips: 5_000,
        connections: 2_000,
        idle: 1_000,
        distance: 512 * MEGABYTE,
        distance_window: Duration::from_secs(10),
    };

    pub(crate) const QUICK: Self = Self {
        warm_up: 16 * MEGABYTE,
        transfer: 200 * MEGABYTE,
        trips: 500,
        connections: 400,
        idle: 1_000,
        distance: 64 * MEGABYTE,
        distance_window: Duration::from_secs(10),
    };
}

/// Every metric, in the order of the table.
pub(crate) const METRICS: &[Metric] = &[
    transfer::ONE_STREAM,
    transfer::EIGHT_STREAMS,
    latency::METRIC,
    connections::METRIC,
    memory::METRIC,
    distance::METRIC,
];

const MEGABYTE: u64 = 1_000_000;
