//! Files of ssh_config: whatever is in them, a lookup ends, what comes out can be split, and errors show nothing raw.
#![no_main]

use std::{ffi::OsString, io, path::Path, path::PathBuf};

use libfuzzer_sys::fuzz_target;
use underpass_config::{
    Care, Keywords, Local, MAX_EXPANDED_LEN, Query, Source, Surroundings, joined, lookup, words,
};

fuzz_target!(|input: (&str, &[u8], &[u8])| {
    let (host, file, included) = input;
    let machine = Machine { local: Local { home: Some("/h".into()), ..Local::default() }, file, included };
    let sources = [Source::User("/h/.ssh/config".into())];
    let keywords = Keywords::new(&["HostName", "IdentityFile", "ProxyCommand"]);
    match lookup(&sources, &Query::new(host), &machine, &keywords) {
        Ok(found) => {
            assert!(found.host_name.len() <= MAX_EXPANDED_LEN + host.len());
            for setting in found.settings {
                let split = setting.words().expect("the lookup has split it before");
                assert_eq!(words(&joined(&split)).as_ref(), Ok(&split));
            }
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
    }
});

/// Has two files, the second one under every other name.
struct Machine<'a> {
    local: Local,
    file: &'a [u8],
    included: &'a [u8],
}

impl Surroundings for Machine<'_> {
    fn local(&self) -> &Local {
        &self.local
    }

    fn read(&self, path: &Path, _: Care) -> io::Result<Option<Vec<u8>>> {
        let content = if path.ends_with("config") { self.file } else { self.included };
        Ok(Some(content.to_owned()))
    }

    fn entries(&self, _: &Path) -> Vec<OsString> {
        vec!["a".into(), "b".into()]
    }

    fn run(&self, command: &str) -> bool {
        command.len() % 2 == 0
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name.len() == 1).then(|| name.repeat(100))
    }

    fn home_of(&self, _: &str) -> Option<PathBuf> {
        None
    }
}
