//! What the figures were measured on.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread;

use super::{sshd, unpaced};

/// A Markdown list of date, machine, versions and command line.
pub(crate) fn describe(runs: usize, command_line: &str) -> String {
    let uname = rustix::system::uname();
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let facts = [
        ("date", said_by("date", &["-u", "+%Y-%m-%d"])),
        ("processor", format!("{}, {cpus} cores", processor())),
        ("kernel", format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy())),
        ("congestion control", unpaced::congestion_control().unwrap_or_else(|_| "unknown".to_owned())),
        ("ssh", said_by("ssh", &["-V"])),
        ("sshd", said_by(sshd::PROGRAM, &["-V"])),
        ("underpass", said_by("git", &["describe", "--always", "--dirty"])),
        ("compiler", said_by("rustc", &["--version"])),
        ("command", format!("`{command_line}`")),
        ("runs", format!("{}, medians; ± is half the range between the extremes", runs)),
    ];
    facts.iter().fold(String::new(), |mut text, (name, fact)| {
        let _ = writeln!(text, "- {name}: {fact}");
        text
    })
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown".to_owned(), |(_, model)| model.trim().to_owned())
}

/// The first line of a program's output; OpenSSH's programs write their version to standard error.
pub(crate) fn said_by(program: &str, args: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(args).current_dir(crate::workspace::root()).output() else {
        return "not found".to_owned();
    };
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&text);
    // sshd before 9.4 has no -V: it complains, and names its version in the next line.
    let version = text.lines().find(|line| line.starts_with("OpenSSH")).or_else(|| text.lines().next());
    version.unwrap_or_default().trim().to_owned()
}
