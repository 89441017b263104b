//! What goes wrong.

use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use super::Scene;

pub(super) struct Fault {
    pub(super) title: &'static str,
    pub(super) breaks: fn(&mut Scene) -> Result<()>,
    /// From the break until it is mended.
    pub(super) lasts: Duration,
    pub(super) mends: fn(&mut Scene) -> Result<()>,
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        title: "link cut",
        breaks: |scene| scene.tell("cut").map(drop),
        lasts: Duration::ZERO,
        mends: nothing,
    },
    Fault {
        title: "session killed",
        breaks: |scene| {
            scene.bed.sshd.process().signal_descendants(Signal::KILL);
            Ok(())
        },
        lasts: Duration::ZERO,
        mends: nothing,
    },
    Fault {
        title: "server away for 10 s",
        breaks: |scene| {
            scene.bed.sshd.process().signal_all(Signal::KILL);
            Ok(())
        },
        lasts: Duration::from_secs(10),
        mends: |scene| scene.bed.sshd.restart(&scene.bed.scratch),
    },
    Fault {
        title: "link deaf for 8 s",
        breaks: |scene| scene.tell("black-hole").map(drop),
        lasts: Duration::from_secs(8),
        mends: |scene| scene.tell("restore").map(drop),
    },
    Fault {
        title: "far side gone silently",
        breaks: |scene| scene.tell("half-open").map(drop),
        lasts: Duration::ZERO,
        mends: nothing,
    },
    Fault {
        title: "server frozen for 8 s",
        breaks: |scene| {
            scene.bed.sshd.process().signal_all(Signal::STOP);
            Ok(())
        },
        lasts: Duration::from_secs(8),
        mends: |scene| {
            scene.bed.sshd.process().signal_all(Signal::CONT);
            Ok(())
        },
    },
];

fn nothing(_: &mut Scene) -> Result<()> {
    Ok(())
}
