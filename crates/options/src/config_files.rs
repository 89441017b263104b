//! What the files of ssh_config add to the command line.

use underpass::{Error, Event};
use underpass_config::{ConfigError, Keywords, Origin, PassedOver, Query, Source, Surroundings, Why, lookup};
use underpass_wire::Untrusted;

use crate::{
    args::{Args, Command},
    options::{Row, all},
    parse::Reader,
};

/// Adds what the files say, and returns what is to be told of them.
///
/// # Errors
/// A mistake in a file, with its place.
pub(crate) fn apply(reader: &mut Reader, machine: &dyn Surroundings) -> Result<Vec<Event>, Error> {
    let args = reader.args();
    let Some(destination) = &args.destination else { return Ok(Vec::new()) };
    if !matches!(args.command, Command::Tunnel | Command::Settings) {
        return Ok(Vec::new());
    }
    let files = files(args, machine);
    let query = args.given.iter().fold(Query::new(&destination.host), |query, (keyword, values)| {
        values.iter().fold(query, |query, value| query.given(*keyword, value))
    });
    let implemented: Vec<&str> = all().filter_map(|row| row.keyword).collect();
    let found = lookup(&files, &query, machine, &Keywords::new(&implemented)).map_err(refused)?;
    for setting in &found.settings {
        if has_rival(reader.args(), setting.keyword) {
            continue;
        }
        // Only keywords of the table come out, for only they were passed in.
        if let Some(row) = Row::with_keyword(setting.keyword) {
            reader.setting(&place(&setting.origin), row, &setting.argument())?;
        }
    }
    Ok(found.passed_over.iter().map(told).collect())
}

/// Whether another way to the server was named before. That there are no hops leaves room for a command.
fn has_rival(args: &Args, keyword: &str) -> bool {
    let rival = RIVALS.iter().find_map(|(one, rival)| (*one == keyword).then_some(*rival));
    let named = rival.and_then(|rival| args.given.get(rival)).and_then(|values| values.first());
    match (named, rival) {
        (Some(value), Some("ProxyJump")) => !value.eq_ignore_ascii_case("none"),
        (named, _) => named.is_some(),
    }
}

/// The files to read, in order.
fn files(args: &Args, machine: &dyn Surroundings) -> Vec<Source> {
    match args.config_file.as_deref() {
        Some(none) if none.eq_ignore_ascii_case("none") => Vec::new(),
        Some(file) => vec![Source::Named(file.into())],
        None => {
            let user = machine.local().home.as_ref().map(|home| Source::User(home.join(USER_FILE)));
            user.into_iter().chain([Source::System(SYSTEM_FILE.into())]).collect()
        }
    }
}

fn told(PassedOver { keyword, why, origin }: &PassedOver) -> Event {
    let (place, keyword) = (place(origin), Untrusted(keyword.as_bytes()));
    match why {
        Why::Unknown => Event::Warning {
            text: format!(
                "{place}: passing over the unknown keyword `{keyword}`; IgnoreUnknown silences this"
            ),
        },
        Why::Unsupported => {
            Event::Warning { text: format!("{place}: passing over `{keyword}`, which is not supported") }
        }
        Why::Irrelevant(reason) => {
            Event::Detail { level: 2, text: format!("{place}: passing over `{keyword}`: {reason}") }
        }
    }
}

fn refused(error: ConfigError) -> Error {
    Error::configuration(error.to_string()).with_advice(error.advice())
}

fn place(origin: &Origin) -> String {
    format!("{} line {}", Untrusted(origin.file.to_string_lossy().as_bytes()), origin.line)
}

/// Keywords of which the one that comes first counts, and the other not at all.
const RIVALS: [(&str, &str); 2] = [("ProxyCommand", "ProxyJump"), ("ProxyJump", "ProxyCommand")];

/// The user's file, below the home directory.
const USER_FILE: &str = ".ssh/config";
const SYSTEM_FILE: &str = "/etc/ssh/ssh_config";

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{args::Verbosity, machine::fake::Fake, parse::read};

    /// The arguments of a command line and the user's file, and what is told of the file.
    fn with(line: &str, config: &str) -> Result<(Args, Vec<Event>), Error> {
        let machine =
            Fake::new().file("/home/me/.ssh/config", config).file("/f", "Port 7\nLocalForward 1 a:2\n");
        let mut reader = read(line.split(' ').map(OsString::from))?;
        let events = apply(&mut reader, &machine)?;
        Ok((reader.finish()?, events))
    }

    fn args(line: &str, config: &str) -> Args {
        with(line, config).unwrap_or_else(|error| panic!("{line}: {error}")).0
    }

    #[test]
    fn a_file_can_say_all_but_the_host() {
        let config = "Host db\n  HostName db.example.com\n  LocalForward 5432 localhost:5432 # as psql has it\n  \
                      User \"me too\"\n  IdentityFile ~/.ssh/db\n  StrictHostKeyChecking accept-new\n";
        let args = args("db", config);
        assert_eq!(args.server.host_name.as_deref(), Some("db.example.com"));
        assert_eq!(args.login.user.as_deref(), Some("me too"));
        assert_eq!(args.forwards.forwards[0].to_string(), "-L 5432:localhost:5432");
    }

    #[test]
    fn the_command_line_counts_before_the_file_and_lists_add_up() {
        let config =
            "Port 1\nUser x\nIdentityFile a\nIdentityFile b\nLocalForward 1 a:2\nLocalForward 2 b:3\n";
        let args = args("-p 9 -i b -L 1:a:2 me@web", config);
        assert_eq!((args.server.port, args.login.user.as_deref()), (Some(9), Some("me")));
        assert_eq!(args.login.identity_files, ["b", "a"]);
        assert_eq!(args.forwards.forwards.len(), 2);
    }

    #[test]
    fn another_file_or_none_can_be_named() {
        assert_eq!(args("-F /f web", "Port 1").server.port, Some(7));
        assert_eq!(args("-F none -L 1:a:2 web", "Port 1").server.port, None);
        let error = with("-F /none -L 1:a:2 web", "").unwrap_err();
        assert!(error.to_string().contains("/none: there is no such file"), "{error}");
    }

    #[test]
    fn verbosity_on_the_command_line_outweighs_the_files() {
        assert_eq!(args("-L 1:a:2 web", "LogLevel QUIET").output.verbosity, Verbosity::QUIET);
        assert_eq!(args("-v -L 1:a:2 web", "LogLevel QUIET").output.verbosity, Verbosity(1));
    }

    #[test]
    fn a_mistake_names_file_and_line() {
        for (config, expected, advice) in [
            (
                "\nPort x\n",
                "/home/me/.ssh/config line 2: Port: expected a port",
                "write there, for example, `Port 2222`",
            ),
            ("Port\n", "/home/me/.ssh/config line 1: expected a value after `Port`", "correct the line"),
            ("Port 1\nPort x\n", "line 2: Port: expected", "write there"),
        ] {
            let error = with("-L 1:a:2 web", config).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.advice().unwrap().contains(advice), "{:?}", error.advice());
        }
    }

    #[test]
    fn what_is_passed_over_is_told_by_its_weight() {
        let config =
            "UseWarp 9\nUseWarp 8\nProxyUseFdpass yes\nForwardX11 yes\nIgnoreUnknown Use*\nUseMe 1\n";
        let events = with("-L 1:a:2 web", config).unwrap().1;
        let told: Vec<(&str, u8, String)> =
            events.iter().map(|event| (event.name(), event.level(), event.to_string())).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].2.contains("line 1: passing over the unknown keyword `UseWarp`"), "{told:?}");
        assert!(told[1].2.contains("line 3: passing over `ProxyUseFdpass`"), "{told:?}");
        assert_eq!((told[2].0, told[2].1), ("detail", 2));
    }

    #[test]
    fn other_commands_read_no_file() {
        assert!(with("algorithms", "Port\n").is_ok());
        assert!(with("--help", "Port\n").is_ok());
    }
}
