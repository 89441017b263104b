//! Finding an entry by what people call it.

use crate::{Entry, Private};

/// `*` means any entry, those that can sign first. Otherwise the first one whose subject, or name in the store, is
/// `wanted`, and if there is none, the first one in whose subject or name it is contained.
pub(crate) fn select<'a>(entries: &'a [Entry], wanted: &str) -> Option<&'a Entry> {
    if wanted.trim() == "*" {
        let ready = |entry: &&Entry| matches!(entry.private, Private::Ready(_));
        let private = |entry: &&Entry| !matches!(entry.private, Private::Absent);
        let first = entries.iter().find(ready).or_else(|| entries.iter().find(private));
        return first.or_else(|| entries.first());
    }
    let wanted = plain(wanted);
    if wanted.is_empty() {
        return None;
    }
    let texts = |entry: &Entry| [plain(&entry.subject), plain(&entry.name)];
    let exact = entries.iter().find(|entry| texts(entry).contains(&wanted));
    exact.or_else(|| entries.iter().find(|entry| texts(entry).iter().any(|text| text.contains(&wanted))))
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

    fn entry(subject: &str, name: &str) -> Entry {
        Entry { subject: subject.to_owned(), name: name.to_owned(), ..Entry::default() }
    }

    #[test]
    fn exact_comes_before_contained() {
        let entries =
            [entry("CN=www.example.com,O=Example", ""), entry("CN=www", "web"), entry("CN=mail", "webmail")];
        let found = |wanted| select(&entries, wanted).map(|entry| entry.subject.as_str());
        assert_eq!(found("CN=www"), Some("CN=www"));
        assert_eq!(found("www.example"), Some("CN=www.example.com,O=Example"));
        assert_eq!(found("webmail"), Some("CN=mail"));
        assert_eq!(found("web"), Some("CN=www"));
        assert_eq!(found("*"), Some("CN=www.example.com,O=Example"));
        assert_eq!(found("CN=ftp"), None);
        assert_eq!(found(" "), None);
    }

    #[test]
    fn spelling_does_not_matter() {
        let written = "CN=Me\\, Myself,ST=There,C=US,EMAILADDRESS=me@example.com";
        let entries = [entry(written, "")];
        for wanted in [
            "cn=\"me, myself\", S=There, C=US, E=me@example.com",
            "CN=Me\\, Myself,ST=There,C=US,emailAddress=me@example.com",
            "E=me@example.com",
            "myself, ST=There",
        ] {
            assert!(select(&entries, wanted).is_some(), "{wanted}");
        }
        assert!(select(&entries, "CN=Me").is_some() && select(&entries, "CN=Myself").is_none());
    }
}
