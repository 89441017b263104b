//! Sources of packages, as Debian has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Unpacks the source of a package below `work`, from the servers that this machine has its packages from, unless it is
/// there. What apt knows otherwise stays as it is. `inside`: what tells the source from other directories.
pub(crate) fn source(package: &str, inside: &str, work: &Path) -> Result<PathBuf> {
    if let Ok(source) = unpacked(inside, work) {
        return Ok(source);
    }
    let parts = work.join("sources.list.d");
    for directory in [&parts, &work.join("lists/partial"), &work.join("cache/archives/partial")] {
        fs::create_dir_all(directory)?;
    }
    let mut found = false;
    for (name, text) in sources()? {
        if let Some(text) = source_packages(&text) {
            fs::write(parts.join(name), text)?;
            found = true;
        }
    }
    ensure!(found, "apt has no sources of Debian here; give the path of {package}'s source");
    let get =
        |words: &[&str]| succeed(apt("apt-get", work).args(["-o", "APT::Sandbox::User=root"]).args(words));
    get(&["update"])?;
    let newest = get(&["source", package]);
    // A mirror may list a version that it has not got, but for a while.
    let got = newest.or_else(|problem| {
        let mut others = versions(package, work)?.into_iter();
        let got = others.any(|version| get(&["source", &format!("{package}={version}")]).is_ok());
        if got { Ok(()) } else { Err(problem) }
    });
    got.and_then(|()| unpacked(inside, work))
}

fn versions(package: &str, work: &Path) -> Result<Vec<String>> {
    let shown = apt("apt-cache", work).args(["showsrc", package]).output().context("cannot run apt-cache")?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    Ok(shown.lines().filter_map(|line| line.strip_prefix("Version: ")).map(str::to_owned).collect())
}

/// Runs a program to its end, and fails when it does.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&said));
    Ok(())
}

fn unpacked(inside: &str, work: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(work)?.flatten().map(|entry| entry.path());
    let mut found = entries.filter(|path| path.join(inside).exists());
    found.next().with_context(|| format!("{} does not hold what it should", work.display()))
}

fn apt(program: &str, work: &Path) -> Command {
    let mut apt = Command::new(program);
    let place = |name: &str, path: &str| format!("Dir::{name}={}", work.join(path).display());
    apt.args(["-q", "-o", "Dir::Etc::SourceList=/dev/null"]);
    apt.arg("-o").arg(place("Etc::SourceParts", "sources.list.d"));
    apt.arg("-o").arg(place("State::Lists", "lists")).arg("-o").arg(place("Cache", "cache"));
    apt.current_dir(work);
    apt
}

/// What says where packages come from: names and texts.
fn sources() -> Result<Vec<(String, String)>> {
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let paths = parts.map(|entry| entry.path()).chain([PathBuf::from("/etc/apt/sources.list")]);
    let files = paths.filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, fs::read_to_string(&path)?))
        })
        .collect()
}

/// The same for source packages, in the stanzas and lines about the archive itself: mirrors of the security updates lack
/// sources at times, and others than Debian have none. `None` if nothing is left.
fn source_packages(text: &str) -> Option<String> {
    let is_archive = |text: &str| text.contains("/debian") && !text.contains("-security");
    let line = |line: &str| match line.split_once(' ') {
        Some(("Types:", "deb" | "deb deb-src")) => Some("Types: deb-src\n".to_owned()),
        Some(("deb", rest)) => is_archive(rest).then(|| format!("deb-src {rest}\n")),
        _ => Some(format!("{line}\n")),
    };
    let stanza = |stanza: &str| stanza.lines().filter_map(line).chain(["\n".to_owned()]).collect::<String>();
    let is_kept =
        |stanza: &&str| stanza.contains("/debian") && (is_archive(stanza) || !stanza.contains("URIs:"));
    let stanzas: String = text.split("\n\n").filter(is_kept).map(stanza).collect();
    stanzas.contains("deb-src").then_some(stanzas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_turned_into_those_of_source_packages() {
        let one_line =
            "# x\ndeb http://mirror/debian bookworm main\ndeb http://mirror/debian-security x main\n";
        let expected = "# x\ndeb-src http://mirror/debian bookworm main\n\n";
        assert_eq!(source_packages(one_line).as_deref(), Some(expected));
        let stanzas =
            "Types: deb\nURIs: http://mirror/debian\n\nTypes: deb\nURIs: http://mirror/debian-security\n";
        let expected = "Types: deb-src\nURIs: http://mirror/debian\n\n";
        assert_eq!(source_packages(stanzas).as_deref(), Some(expected));
        assert_eq!(source_packages("deb https://packages.example.org/apt other main\n"), None);
    }
}
