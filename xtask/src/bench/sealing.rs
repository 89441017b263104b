//! `cargo xtask bench sealing`: how fast each pair of cipher and MAC seals and opens, beside OpenSSL's primitives.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::machine;
use crate::workspace;

/// What OpenSSL calls our algorithms, as options of `openssl speed`. UMAC and CTR with triple DES it has not.
const CIPHERS: &[(&str, &str)] = &[
    ("aes128-gcm@openssh.com", "aes-128-gcm"),
    ("aes256-gcm@openssh.com", "aes-256-gcm"),
    ("chacha20-poly1305@openssh.com", "chacha20-poly1305"),
    ("aes128-ctr", "aes-128-ctr"),
    ("aes192-ctr", "aes-192-ctr"),
    ("aes256-ctr", "aes-256-ctr"),
    ("aes128-cbc", "aes-128-cbc"),
    ("aes192-cbc", "aes-192-cbc"),
    ("aes256-cbc", "aes-256-cbc"),
    ("3des-cbc", "des-ede3-cbc"),
    ("blowfish-cbc", "bf-cbc"),
    ("cast128-cbc", "cast5-cbc"),
    ("arcfour", "rc4"),
    ("arcfour128", "rc4"),
    ("arcfour256", "rc4"),
];

/// A MAC's name begins with one of these.
const DIGESTS: &[(&str, &str)] = &[
    ("hmac-sha2-256", "sha256"),
    ("hmac-sha2-512", "sha512"),
    ("hmac-sha1", "sha1"),
    ("hmac-md5", "md5"),
    ("hmac-ripemd160", "rmd160"),
];

/// GB of payload a second.
#[derive(Clone, Copy)]
struct Speed {
    seal: f64,
    open: f64,
}

/// Speeds by cipher and MAC, in order; no MAC beside a cipher with a tag of its own.
type Speeds = Vec<(String, String, Speed)>;

pub(crate) fn run(args: &[OsString]) -> Result<()> {
    ensure!(args.len() == 1, "usage: cargo xtask bench sealing");
    let ours = ours()?;
    let openssl = OpenSsl::measure(&ours)?;
    let tables = tables(&ours, &openssl);
    println!("{tables}");
    // There are no runs to take medians of.
    let facts: String = machine::describe(1, &super::command_line(args))
        .split_inclusive('\n')
        .filter(|fact| !fact.starts_with("- runs:"))
        .collect();
    let openssl = machine::said_by("openssl", &["version"]);
    let output = workspace::root().join("bench").join("SEALING.md");
    fs::write(&output, format!("{PREAMBLE}\n{facts}- openssl: {openssl}\n\n{}\n", tables.trim_end()))
        .with_context(|| format!("cannot write {}", output.display()))?;
    eprintln!("written to {}", output.display());
    Ok(())
}

/// What the example of the crate measures.
fn ours() -> Result<Speeds> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--release", "-p", "underpass-crypto", "--example", "sealing"]);
    let output = cargo.current_dir(workspace::root()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "the example ended with {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| pair(line).with_context(|| format!("not a pair: {line}"))).collect()
}

fn pair(line: &str) -> Option<(String, String, Speed)> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    let (cipher, mac) = (field()?.to_owned(), field()?.to_owned());
    Some((cipher, mac, Speed { seal: field()?.parse().ok()?, open: field()?.parse().ok()? }))
}

/// What OpenSSL's primitives do alone, in GB/s, by our names.
struct OpenSsl(BTreeMap<String, f64>);

impl OpenSsl {
    fn measure(ours: &Speeds) -> Result<Self> {
        let mut by_option: BTreeMap<[&str; 2], f64> = BTreeMap::new();
        let mut speeds = BTreeMap::new();
        for name in ours.iter().flat_map(|(cipher, mac, _)| [cipher, mac]) {
            let Some(option) = option(name) else { continue };
            let speed = match by_option.get(&option) {
                Some(speed) => *speed,
                None => *by_option.entry(option).or_insert(openssl_speed(option)?),
            };
            speeds.insert(name.clone(), speed);
        }
        Ok(Self(speeds))
    }

    fn of(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// One primitive after the other.
    fn of_pair(&self, cipher: &str, mac: &str) -> Option<f64> {
        match mac {
            "" => self.of(cipher),
            mac => Some(1.0 / (1.0 / self.of(cipher)? + 1.0 / self.of(mac)?)),
        }
    }
}

/// How `openssl speed` is asked for one of ours.
fn option(name: &str) -> Option<[&'static str; 2]> {
    let cipher = CIPHERS.iter().find(|(ours, _)| *ours == name).map(|(_, theirs)| ["-evp", *theirs]);
    let digest = || DIGESTS.iter().find(|(ours, _)| name.starts_with(ours)).map(|(_, it)| ["-hmac", *it]);
    cipher.or_else(digest)
}

fn openssl_speed(option: [&str; 2]) -> Result<f64> {
    let mut openssl = Command::new("openssl");
    openssl.args(["speed", "-mr", "-bytes", "32768", "-seconds", "1"]).args(option);
    // Where the old ciphers are.
    openssl.args(["-provider", "legacy", "-provider", "default"]);
    let output = openssl.output().context("cannot run openssl; install Debian's openssl")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = text.lines().find(|line| line.starts_with("+F:")).and_then(|line| line.rsplit(':').next());
    let bytes: f64 = figure.and_then(|figure| figure.parse().ok()).with_context(|| {
        format!("openssl speed {option:?} said: {text}{}", String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(bytes / 1e9)
}

fn tables(ours: &Speeds, openssl: &OpenSsl) -> String {
    let mut text = String::from("## Ciphers with a tag of their own\n\n");
    let alone = ours.iter().filter(|(_, mac, _)| mac.is_empty());
    let rows = alone.map(|(cipher, mac, speed)| {
        [
            cipher.clone(),
            show(speed.seal),
            show(speed.open),
            maybe(openssl.of(cipher)),
            share(openssl, cipher, mac, *speed),
        ]
    });
    write_table(&mut text, &["", "seal", "open", "OpenSSL", "seal / OpenSSL"].map(str::to_owned), rows);
    let macs = distinct(ours.iter().map(|(_, mac, _)| mac).filter(|mac| !mac.is_empty()));
    let ciphers = distinct(ours.iter().filter(|(_, mac, _)| !mac.is_empty()).map(|(cipher, ..)| cipher));
    for (title, cell) in CELLS {
        let _ = writeln!(text, "\n## {title}\n");
        let header =
            ["".to_owned(), "OpenSSL".to_owned()].into_iter().chain(ciphers.iter().map(|it| (*it).clone()));
        let first = ["OpenSSL".to_owned(), String::new()]
            .into_iter()
            .chain(ciphers.iter().map(|it| maybe(openssl.of(it))));
        let rows = macs.iter().map(|mac| {
            let cells = ciphers.iter().map(|cipher| {
                let speed = ours.iter().find(|(c, m, _)| c == *cipher && m == *mac).map(|found| found.2);
                speed.map_or_else(String::new, |speed| cell(openssl, cipher, mac, speed))
            });
            [(*mac).clone(), maybe(openssl.of(mac))].into_iter().chain(cells).collect::<Vec<_>>()
        });
        write_table(
            &mut text,
            &header.collect::<Vec<_>>(),
            [first.collect::<Vec<_>>()].into_iter().chain(rows),
        );
    }
    text
}

type Cell = fn(&OpenSsl, &str, &str, Speed) -> String;

const CELLS: [(&str, Cell); 3] = [
    ("Seal (GB/s)", |_, _, _, speed| show(speed.seal)),
    ("Open (GB/s)", |_, _, _, speed| show(speed.open)),
    ("Seal, beside OpenSSL's two primitives one after the other", share),
];

fn share(openssl: &OpenSsl, cipher: &str, mac: &str, speed: Speed) -> String {
    maybe(openssl.of_pair(cipher, mac).map(|theirs| speed.seal / theirs))
}

fn show(speed: f64) -> String {
    format!("{speed:.2}")
}

fn maybe(speed: Option<f64>) -> String {
    speed.map_or_else(|| super::report::NOTHING.to_owned(), show)
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a String> {
    let mut all: Vec<&String> = Vec::new();
    names.for_each(|name| {
        if !all.contains(&name) {
            all.push(name);
        }
    });
    all
}

fn write_table(text: &mut String, header: &[String], rows: impl Iterator<Item = impl AsRef<[String]>>) {
    let _ = writeln!(text, "| {} |", header.join(" | "));
    let _ = writeln!(text, "|---|{}", "---:|".repeat(header.len() - 1));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.as_ref().join(" | "));
    }
}

const PREAMBLE: &str = "\
# Sealing and opening

Written by `cargo xtask bench sealing`; [README.md](README.md#sealing) says what each figure means.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_primitives_take_the_sum_of_their_times() {
        let openssl = OpenSsl([("aes128-ctr".to_owned(), 6.0), ("hmac-sha1".to_owned(), 3.0)].into());
        assert!((openssl.of_pair("aes128-ctr", "hmac-sha1").unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(openssl.of_pair("aes128-ctr", ""), Some(6.0));
        assert_eq!(openssl.of_pair("aes128-ctr", "umac-64@openssh.com"), None);
    }

    #[test]
    fn names_of_openssl_are_found_for_every_variant() {
        assert_eq!(option("hmac-sha2-256-etm@openssh.com"), Some(["-hmac", "sha256"]));
        assert_eq!(option("hmac-md5-96"), Some(["-hmac", "md5"]));
        assert_eq!(option("arcfour128"), Some(["-evp", "rc4"]));
        assert_eq!(option("umac-64@openssh.com"), None);
    }

    #[test]
    fn a_line_of_the_example_is_read() {
        let (cipher, mac, speed) = pair("aes128-ctr\thmac-sha1\t1.5\t1.25").unwrap();
        assert_eq!(
            (cipher.as_str(), mac.as_str(), speed.seal, speed.open),
            ("aes128-ctr", "hmac-sha1", 1.5, 1.25)
        );
        assert!(pair("aes128-ctr\t\t1.5").is_none());
    }
}
