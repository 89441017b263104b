//! The cases, run, and what became of them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, Result, ensure};

use super::directory;

/// What the names of the cases begin with. Each of them is a process of the server, which makes keys for itself.
const GROUPS: [&str; 7] = [
    "torture_pkd_openssh_rsa_",
    "torture_pkd_openssh_e256_",
    "torture_pkd_openssh_ed_",
    "torture_pkd_openssh_cert_",
    "torture_pkd_openssh_sha256_cert_",
    "torture_pkd_dropbear_",
    "torture_pkd_client_",
];

/// Runs all cases, two groups at a time. Gives the names of all, and whether they passed.
pub(super) fn run(server: &Path, work: &Path, client: &Path) -> Result<Vec<(String, bool)>> {
    let listed = Command::new(server).arg("--list").output()?;
    let names: Vec<String> = String::from_utf8(listed.stdout)?.lines().map(str::to_owned).collect();
    for name in &names {
        let groups = GROUPS.iter().filter(|group| name.starts_with(**group)).count();
        ensure!(groups == 1, "{name} belongs to {groups} groups");
    }
    let (rest, passed) = (Mutex::new(GROUPS.to_vec()), Mutex::new(BTreeSet::new()));
    let work_off = || -> Result<()> {
        loop {
            let group = rest.lock().expect("nobody panics with it").pop();
            let Some(group) = group else { return Ok(()) };
            let more = run_group(server, &work.join(group), client, group)?;
            passed.lock().expect("nobody panics with it").extend(more);
        }
    };
    thread::scope(|scope| {
        let workers = [scope.spawn(work_off), scope.spawn(work_off)];
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker reports its failures"))
    })?;
    let passed = passed.into_inner().expect("nobody panics with it");
    Ok(names.into_iter().map(|name| (name.clone(), passed.contains(&name))).collect())
}

/// Runs the cases of a group in this directory. Gives the names of those that passed.
fn run_group(server: &Path, place: &Path, client: &Path, group: &str) -> Result<Vec<String>> {
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    fs::create_dir_all(place)?;
    for name in ["client", "dbclient"] {
        symlink(directory().join("client.sh"), place.join(name))?;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // The server looks for `dbclient` there.
    let path = std::env::join_paths([place.to_owned()].into_iter().chain(std::env::split_paths(&path)))?;
    let mut command = Command::new(server);
    command.args(["-i1", "-m", group]).current_dir(place).env("PATH", path).env("UNDERPASS", client);
    let output = command.output().with_context(|| format!("cannot run {}", server.display()))?;
    let said = [output.stdout, output.stderr].concat();
    fs::write(place.join("log"), &said)?;
    Ok(passed(&String::from_utf8_lossy(&said)))
}

/// The names in the lines of cmocka about cases that passed.
fn passed(log: &str) -> Vec<String> {
    log.lines().filter_map(|line| line.strip_prefix("[       OK ] ")).map(str::to_owned).collect()
}

/// Parts of names, each with the reason why such cases are skipped.
pub(super) fn listed(text: &str) -> Result<Vec<(String, String)>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (pattern, reason) = line.split_once(' ').with_context(|| format!("`{line}` has no reason"))?;
        Ok((pattern.to_owned(), reason.to_owned()))
    };
    lines.map(pair).collect()
}

/// What is not as the list says.
pub(super) fn complaints(outcome: &[(String, bool)], skipped: &[(String, String)]) -> Vec<String> {
    let is_listed = |name: &str| skipped.iter().any(|(pattern, _)| name.contains(pattern));
    let mut complaints = Vec::new();
    for (name, passed) in outcome {
        match (passed, is_listed(name)) {
            (false, false) => complaints.push(format!("{name} did not pass")),
            (true, true) => complaints.push(format!("{name} passed, though it is listed as skipped")),
            _ => {}
        }
    }
    let unused =
        skipped.iter().filter(|(pattern, _)| !outcome.iter().any(|(name, _)| name.contains(pattern)));
    complaints.extend(unused.map(|(pattern, _)| format!("no case has `{pattern}` in its name")));
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_held_against_what_happened() {
        let outcome = [("a_b", true), ("a_c", false), ("d_c", false)];
        let outcome = outcome.map(|(name, passed)| (name.to_owned(), passed));
        let complaints = |list| complaints(&outcome, &listed(list).unwrap());
        assert!(complaints("# why\n\n_c because").is_empty());
        assert_eq!(complaints("a_c because"), ["d_c did not pass"]);
        assert_eq!(complaints("_c because\na_ because"), ["a_b passed, though it is listed as skipped"]);
        assert_eq!(complaints("_c because\nx because"), ["no case has `x` in its name"]);
        assert!(listed("_c").is_err());
    }

    #[test]
    fn what_passed_is_read_from_the_log() {
        let log = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n";
        assert_eq!(passed(log), ["a"]);
    }
}
