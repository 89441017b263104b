//! `underpass demo`: a gateway, a target and a tunnel between them, all on this machine, and data that both ends check.

mod exchange;
mod far_side;
mod payload;

use std::{env, fs, path::PathBuf};

use serde_json::json;
use underpass::{Builder, Error, Forward, Secret, Step, Tunnel};

use self::{
    exchange::{Rate, ask},
    far_side::FarSide,
};
use crate::{exit::Exit, output::Reporter, signals::Signals, tunnel::GRACE};

/// Runs the demonstration.
///
/// # Errors
/// The first thing that did not work. Without an error, each byte arrived as it was sent.
pub(crate) async fn run(reporter: Reporter) -> Result<Exit, Error> {
    let mut signals = Signals::new()?;
    tokio::select! {
        done = demonstrate(&reporter) => done.map(|()| Exit::DONE),
        () = signals.next() => Ok(Exit::CUT),
    }
}

async fn demonstrate(reporter: &Reporter) -> Result<(), Error> {
    let password = one_time_password()?;
    let mut far_side = FarSide::start(USER, password.clone(), LENGTH).await?;
    let (gateway, target, fingerprint) = (far_side.gateway, far_side.target, &far_side.fingerprint);
    reporter.step(
        "demo-gateway",
        json!({ "address": gateway.to_string(), "fingerprint": fingerprint }),
        &format!("an SSH gateway of this program's own listens on {gateway}, with the new key {fingerprint}"),
    );
    reporter.step(
        "demo-target",
        json!({ "address": target.to_string() }),
        &format!("a target listens on {target}"),
    );
    let tunnel = open(&far_side, password, reporter.clone()).await?;
    let entrance = tunnel.local_address().ok_or_else(|| broken("the tunnel has no entrance"))?;
    let [up, down] = ask(entrance, LENGTH).await.map_err(|error| broken(&error.to_string()))?;
    tell(reporter, "demo-sent", "to the target", up);
    tell(reporter, "demo-received", "from the target", down);
    far_side.verdict().await.map_err(|error| broken(&format!("the target says: {error}")))?;
    tunnel.stop(GRACE).await;
    tunnel.closed().await?;
    reporter.step("demo-done", json!({}), "each byte arrived as it was sent, in both directions");
    Ok(())
}

/// Opens the tunnel, with the gateway's key on record and nothing else trusted.
async fn open(far_side: &FarSide, password: Secret, reporter: Reporter) -> Result<Tunnel, Error> {
    let record = Record::write(&far_side.known_hosts)?;
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    Builder::new(format!("{USER}@{}", far_side.gateway))
        .user_known_hosts([&record.file])
        .global_known_hosts(Vec::<PathBuf>::new())
        .default_identities(false)
        .preferred_authentications(["password"])
        .password(password)
        .batch(true)
        .forward(Forward::local(local, far_side.target))
        .observer(move |event| reporter.event(event))
        .open()
        .await
}

fn tell(reporter: &Reporter, event: &str, way: &str, rate: Rate) {
    let members = json!({
        "bytes": rate.bytes, "seconds": rate.time.as_secs_f64(), "bytes_per_second": rate.per_second(),
    });
    reporter.step(event, members, &format!("{way}: {rate}, every byte checked"));
}

/// A known_hosts file for the time of opening.
struct Record {
    directory: PathBuf,
    file: PathBuf,
}

impl Record {
    fn write(content: &str) -> Result<Self, Error> {
        // Unpredictable, and created anew or not at all: nobody else can have prepared it.
        let directory = env::temp_dir().join(format!("underpass-demo-{}", random_text()?));
        let record = Self { file: directory.join("known_hosts"), directory };
        let written = fs::create_dir(&record.directory).and_then(|()| fs::write(&record.file, content));
        let place = record.file.display();
        written.map_err(|error| Error::configuration(format!("{place} cannot be written: {error}")))?;
        Ok(record)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // What stays behind is a public key that no longer means anything.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn one_time_password() -> Result<Secret, Error> {
    random_text().map(Secret::from)
}

/// 128 random bits.
fn random_text() -> Result<String, Error> {
    let bits = getrandom::u64().and_then(|high| Ok((high, getrandom::u64()?)));
    let (high, low) =
        bits.map_err(|error| Error::internal(Step::Configure, format!("no randomness: {error}")))?;
    Ok(format!("{high:016x}{low:016x}"))
}

fn broken(what: &str) -> Error {
    Error::internal(Step::Carry, format!("the demonstration failed: {what}"))
}

/// Bytes in each direction.
const LENGTH: u64 = 256 << 20;

const USER: &str = "demo";
