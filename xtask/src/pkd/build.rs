//! The test server, built from libssh's source and linked with what makes it serve tunnels.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::directory;
use crate::debian::succeed;
use crate::workspace;

/// Builds the library once, and the server each time.
pub(super) fn server(source: &Path, work: &Path) -> Result<PathBuf> {
    let build = work.join("build");
    let library = build.join("src/libssh.a");
    if !library.exists() {
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(source).arg("-B").arg(&build).args(OPTIONS);
        succeed(&mut configure)?;
        succeed(Command::new("cmake").arg("--build").arg(&build).args(["--parallel", "--target", "ssh"]))?;
    }
    let generated = work.join("generated");
    fs::create_dir_all(&generated)?;
    fs::write(generated.join("tests_config.h"), tests_config()?)?;
    let server = work.join("pkd_hello");
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-w", "-DHAVE_ARGP_H", "-o"]).arg(&server).arg("-I").arg(&generated);
    for path in ["", "include"] {
        compile.arg("-I").arg(build.join(path));
    }
    for path in ["include", "src", "tests", "tests/pkd"] {
        compile.arg("-I").arg(source.join(path));
    }
    for name in ["daemon", "hello", "keyutil", "util"] {
        compile.arg(source.join(format!("tests/pkd/pkd_{name}.c")));
    }
    compile.arg(directory().join("tunnel.c")).arg(library).args(LINKED);
    succeed(&mut compile)?;
    Ok(server)
}

/// What libssh's own build would have found out about the client: where it is, and which signatures it knows.
fn tests_config() -> Result<String> {
    let listed = Command::new(workspace::command()?).args(["algorithms", "--json"]).output()?;
    let names = String::from_utf8(listed.stdout)?.lines().map(signature).collect::<Result<Vec<_>>>()?;
    let names: Vec<_> = names.into_iter().flatten().collect();
    Ok(format!("#define SSH_EXECUTABLE \"./client\"\n#define OPENSSH_KEYS \"{}\"\n", names.join(",")))
}

/// The name in a line about a signature algorithm.
fn signature(line: &str) -> Result<Option<String>> {
    let value: serde_json::Value = serde_json::from_str(line)?;
    if value["kind"] != "signature" {
        return Ok(None);
    }
    Ok(Some(value["name"].as_str().context("an algorithm has a name")?.to_owned()))
}

const OPTIONS: [&str; 6] = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DWITH_EXAMPLES=OFF",
    "-DWITH_GSSAPI=OFF",
    "-DWITH_SFTP=OFF",
    "-DWITH_SYMBOL_VERSIONING=OFF",
];

/// What `tunnel.c` stands in for, and the libraries.
const LINKED: [&str; 5] = [
    "-Wl,--wrap=bind,--wrap=ssh_set_channel_callbacks,--wrap=ssh_set_server_callbacks",
    "-lcmocka",
    "-lcrypto",
    "-lz",
    "-lpthread",
];
