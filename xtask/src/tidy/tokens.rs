//! Walking the tokens of a file, those inside macro calls included.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

/// Calls `seen` with every path of the stream, as `a::b::c`, and with its place. Grouped imports are spelled out.
pub(crate) fn paths(stream: &TokenStream, seen: &mut impl FnMut(&str, Span)) {
    walk_paths(stream.clone(), "", seen);
}

fn walk_paths(stream: TokenStream, prefix: &str, seen: &mut impl FnMut(&str, Span)) {
    let mut path: Option<(String, Span)> = None;
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) => {
                let joined = match &path {
                    Some((path, _)) if path.ends_with("::") => Some(format!("{path}{name}")),
                    _ => None,
                };
                if joined.is_none() {
                    report(path.take(), seen);
                }
                let start = format!("{}{name}", if joined.is_none() { prefix } else { "" });
                let span = path.as_ref().map_or(name.span(), |(_, span)| *span);
                path = Some((joined.unwrap_or(start), span));
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' && mark.spacing() == Spacing::Joint => {
                tokens.next();
                // The leading `::` of an absolute path says nothing more.
                if let Some((path, _)) = &mut path {
                    path.push_str("::");
                }
            }
            TokenTree::Group(group) => {
                let inner = match &path {
                    Some((path, _)) if path.ends_with("::") && group.delimiter() == Delimiter::Brace => {
                        path.clone()
                    }
                    _ => String::new(),
                };
                report(path.take(), seen);
                walk_paths(group.stream(), &inner, seen);
            }
            _ => report(path.take(), seen),
        }
    }
    report(path, seen);
}

fn report(path: Option<(String, Span)>, seen: &mut impl FnMut(&str, Span)) {
    if let Some((path, span)) = path {
        seen(path.trim_end_matches("::"), span);
    }
}

/// Calls `seen` with the name and the place of every macro call.
pub(crate) fn macros(stream: &TokenStream, seen: &mut impl FnMut(&str, Span)) {
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    for window in tokens.windows(3) {
        if let [TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(_)] = window
            && bang.as_char() == '!'
        {
            seen(&name.to_string(), name.span());
        }
    }
    let groups = tokens
        .iter()
        .filter_map(|token| if let TokenTree::Group(group) = token { Some(group) } else { None });
    groups.for_each(|group| macros(&group.stream(), seen));
}

/// Calls `seen` with the name, the arguments and the place of every attribute, nested in `cfg_attr` or not.
pub(crate) fn attributes(stream: &TokenStream, seen: &mut impl FnMut(&str, &[TokenTree], Span)) {
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        if group.delimiter() == Delimiter::Bracket && follows_hash(&tokens[..index]) {
            one_attribute(&group.stream().into_iter().collect::<Vec<_>>(), group, seen);
        } else {
            attributes(&group.stream(), seen);
        }
    }
}

fn one_attribute(tokens: &[TokenTree], group: &Group, seen: &mut impl FnMut(&str, &[TokenTree], Span)) {
    let [TokenTree::Ident(name), arguments @ ..] = tokens else { return };
    let name = name.to_string();
    let [TokenTree::Group(inner)] = arguments else { return seen(&name, arguments, group.span()) };
    let inner: Vec<TokenTree> = inner.stream().into_iter().collect();
    if name == "cfg_attr" {
        let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
        return inner.split(comma).skip(1).for_each(|part| one_attribute(part, group, seen));
    }
    seen(&name, &inner, group.span());
}

/// `#` for an outer attribute, `#!` for an inner one.
fn follows_hash(before: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, sign| matches!(token, TokenTree::Punct(mark) if mark.as_char() == sign);
    match before {
        [.., last] if is(last, '#') => true,
        [.., hash, bang] => is(hash, '#') && is(bang, '!'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths_of(code: &str) -> Vec<String> {
        let mut found = Vec::new();
        paths(&code.parse().unwrap(), &mut |path, _| found.push(path.to_owned()));
        found
    }

    #[test]
    fn grouped_imports_are_spelled_out() {
        assert_eq!(
            paths_of("use std::{fs, net::{TcpStream, IpAddr}};"),
            ["use", "std", "std::fs", "std::net", "std::net::TcpStream", "std::net::IpAddr"]
        );
    }

    #[test]
    fn paths_inside_macro_calls_are_seen() {
        assert!(paths_of("fn f() { assert!(x > Instant::now()) }").contains(&"Instant::now".to_owned()));
    }

    #[test]
    fn attributes_are_seen_in_macros_and_behind_conditions() {
        let code = "#![allow(a)] macro_rules! m { () => { #[expect(b)] fn f() {} } } #[cfg_attr(unix, ignore)] fn g() {}";
        let mut names = Vec::new();
        attributes(&code.parse().unwrap(), &mut |name, _, _| names.push(name.to_owned()));
        assert_eq!(names, ["allow", "expect", "ignore"]);
    }
}
