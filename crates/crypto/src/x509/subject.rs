//! Finding whom a certificate is about by what people write.

/// Which of several is `wanted`, each known by some names, such as the subject of its certificate (RFC 4514): the first one
/// of which one is just that, or if there is none, the first one of which one contains it. Neither case nor the spaces
/// after commas matter, and a value with a comma is put in quotes: `CN=www.example.com, O="Example, Inc."`. An empty text
/// means none of them.
pub fn find_by_name<const N: usize>(wanted: &str, names: &[[&str; N]]) -> Option<usize> {
    let wanted = plain(wanted);
    if wanted.is_empty() {
        return None;
    }
    let names: Vec<_> = names.iter().map(|names| names.map(plain)).collect();
    let exact = names.iter().position(|names| names.contains(&wanted));
    exact.or_else(|| names.iter().position(|names| names.iter().any(|name| name.contains(&wanted))))
}

/// A name (RFC 4514) without what is a matter of taste: case, spaces around separators, quoting, and the several names
/// that some attributes have.
fn plain(text: &str) -> String {
    let parts: Vec<String> = split(text)
        .into_iter()
        .map(|part| match part.split_once('=') {
            Some((name, value)) => {
                let name = name.trim();
                let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
                format!("{}={}", alias.map_or(name, |(_, name)| name), value.trim())
            }
            None => part.trim().to_owned(),
        })
        .collect();
    parts.join(",")
}

/// At commas that are neither quoted nor escaped; in lower case, without quotes and escapes.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut characters) = (false, text.chars());
    while let Some(character) = characters.next() {
        let part = parts.last_mut().expect("there is one from the start");
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(String::new()),
            '\\' => part.extend(characters.next().into_iter().flat_map(char::to_lowercase)),
            _ => part.extend(character.to_lowercase()),
        }
    }
    parts
}

/// What Windows and OpenSSL call some attributes, and what RFC 4519 does.
const ALIASES: [(&str, &str); 4] =
    [("s", "st"), ("email", "e"), ("emailaddress", "e"), ("serialnumber", "serial")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_comes_before_contained() {
        let names = [["CN=www.example.com,O=Example", ""], ["CN=www", "web"], ["CN=mail", "webmail"]];
        let found = |wanted| find_by_name(wanted, &names);
        assert_eq!([found("CN=www"), found("www.example"), found("webmail")], [Some(1), Some(0), Some(2)]);
        assert_eq!([found("web"), found("CN=ftp"), found(" ")], [Some(1), None, None]);
    }

    #[test]
    fn spelling_does_not_matter() {
        let names = [["CN=Me\\, Myself,ST=There,C=US,EMAILADDRESS=me@example.com"]];
        for wanted in [
            "cn=\"me, myself\", S=There, C=US, E=me@example.com",
            "CN=Me\\, Myself,ST=There,C=US,emailAddress=me@example.com",
            "E=me@example.com",
            "myself, ST=There",
        ] {
            assert_eq!(find_by_name(wanted, &names), Some(0), "{wanted}");
        }
        assert!(find_by_name("CN=Me", &names).is_some() && find_by_name("CN=Myself", &names).is_none());
    }
}
