//! Relative links of Markdown files lead somewhere.
use std::fs;
use std::path::Path;

use crate::Result;

/// Every relative link in this file whose target does not exist.
pub(crate) fn complaints(file: &Path, root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let folder = file.parent().unwrap_or(root);
    let name = file.strip_prefix(root).unwrap_or(file).display();
    let dead = links(&text).into_iter().filter_map(|(line, target)| {
        let path = target.split(['#', '?']).next().unwrap_or("");
        let here = path.is_empty() && !target.is_empty();
        (!here && (path.is_empty() || !folder.join(path).exists()))
            .then(|| format!("{name}:{line}: the link `{target}` leads nowhere"))
    });
    Ok(dead.collect())
}

/// Line number and target of each relative link: `[text](target)`, `![alt](target)` and
/// `[label]: target`, outside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                let targets = inline_targets(&without_code_spans(line));
                let definition = definition_target(trimmed);
                found.extend(targets.into_iter().chain(definition).map(|t| (number + 1, t)));
            }
            _ => {}
        }
    }
    found.retain(|(_, target)| is_relative(target));
    found
}

fn is_relative(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    !target.starts_with("//")
        && !scheme.is_some_and(|s| s.len() > 1 && s.chars().all(|c| c.is_ascii_alphabetic()))
}

fn without_code_spans(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    // An odd number of backticks leaves one unpaired: then it is an ordinary character.
    if pieces.len().is_multiple_of(2) {
        return line.to_owned();
    }
    // Keep one character in place of each span so that `[code](target)` stays a link.
    pieces.iter().enumerate().map(|(i, piece)| if i % 2 == 0 { *piece } else { "x" }).collect()
}

fn inline_targets(line: &str) -> Vec<String> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| {
            let mut depth = 0;
            let end = rest.find(|c| {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                depth < 0
            })?;
            Some(first_word(&rest[..end]))
        })
        .collect()
}

fn definition_target(line: &str) -> Option<String> {
    let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
    (!label.starts_with('^')).then(|| first_word(target))
}

/// A link may carry a title after its target: `(target "title")`.
fn first_word(inside: &str) -> String {
    let inside = inside.trim();
    if let Some(rest) = inside.strip_prefix('<') {
        return rest.split('>').next().unwrap_or("").to_owned();
    }
    inside.split_whitespace().next().unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|(_, target)| target).collect()
    }

    #[test]
    fn the_usual_forms_are_found() {
        let text = "[a](x.md) and ![b](y.svg \"title\")\n[c]: z.md\n[`code`](w.md#part)\n";
        assert_eq!(targets(text), ["x.md", "y.svg", "z.md", "w.md#part"]);
    }

    #[test]
    fn code_and_the_outside_world_are_left_alone() {
        let text = "```\n[a](x.md)\n```\n`[b](y.md)`\n[c](https://example.org) [d](mailto:a@b.c)\n";
        assert_eq!(targets(text), Vec::<String>::new());
        assert_eq!(targets("~~~\n```\n[a](x.md)\n~~~\n[b](y.md)"), ["y.md"]);
        assert_eq!(targets("[^1]: a footnote"), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_reported_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("there.md"), "").unwrap();
        let page = folder.path().join("page.md");
        fs::write(&page, "[a](there.md#x) [b](#here)\n\n[c](gone.md)\n[draft]()\n").unwrap();
        let found = complaints(&page, folder.path()).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("page.md:3:") && found[1].starts_with("page.md:4:"));
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(complaints(&folder.path().join("gone.md"), folder.path()).is_err());
    }
}
