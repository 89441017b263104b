//! The source of libssh, as Debian has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::{entry, succeed};

/// Unpacks it below `work`, from the servers that this machine has its packages from. What apt knows otherwise stays as
/// it is.
pub(super) fn fetch(work: &Path) -> Result<PathBuf> {
    if let Ok(source) = unpacked(work) {
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
    ensure!(found, "apt has no sources of Debian here; give the path of libssh's source");
    for words in [&["update"][..], &["source", "libssh"]] {
        succeed(apt_get(work).args(["-o", "APT::Sandbox::User=root"]).args(words))?;
    }
    unpacked(work)
}

fn unpacked(work: &Path) -> Result<PathBuf> {
    entry(work, |path| path.join("tests/pkd").is_dir())
}

fn apt_get(work: &Path) -> Command {
    let mut apt = Command::new("apt-get");
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
