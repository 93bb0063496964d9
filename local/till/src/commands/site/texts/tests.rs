//! Every language has every word, and every word is said somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use template::project::Project;

use super::*;

fn site() -> PathBuf {
    Project::find().unwrap().site
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
}

fn languages() -> Vec<(String, Texts)> {
    let mut found = Vec::new();
    files(&site().join("texts"), ".js", &mut found);
    let read = |path: PathBuf| {
        let code = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (
            code,
            Texts::parse(&std::fs::read_to_string(path).unwrap()).unwrap(),
        )
    };
    found.into_iter().map(read).collect()
}

fn english() -> Texts {
    let mut all = languages().into_iter();
    all.find(|(code, _)| code == "en").unwrap().1
}

/// `{name}`, in all forms of a text.
fn values(text: &Text) -> BTreeSet<String> {
    let forms: Vec<&String> = match text {
        Text::One(text) => vec![text],
        Text::Forms(forms) => forms.values().collect(),
    };
    let parts = forms.into_iter().flat_map(|form| form.split('{').skip(1));
    parts
        .map(|part| part.split_once('}').unwrap().0.to_owned())
        .filter(|name| name != "count")
        .collect()
}

#[test]
fn every_language_says_everything_with_the_same_values() {
    let english = english();
    let all = languages();
    assert!(all.iter().any(|(code, _)| code == "de"));
    for (code, texts) in all {
        let keys = |texts: &Texts| texts.0.keys().cloned().collect::<BTreeSet<_>>();
        let missing: Vec<_> = keys(&english).difference(&keys(&texts)).cloned().collect();
        let unknown: Vec<_> = keys(&texts).difference(&keys(&english)).cloned().collect();
        assert_eq!((missing, unknown), (vec![], vec![]), "{code}");
        for (key, text) in &texts.0 {
            assert_eq!(values(text), values(&english.0[key]), "{code}: {key}");
            if let Text::Forms(forms) = text {
                assert!(forms.contains_key("other"), "{code}: {key}");
            }
            let same_kind = matches!(text, Text::One(_)) == matches!(english.0[key], Text::One(_));
            assert!(same_kind, "{code}: {key}");
        }
    }
}

/// The keys that the site's scripts and pages name. What is worked out, as in `status.${status}`, is
/// there with `*` in its place.
fn named() -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut scripts = Vec::new();
    files(&site().join("js"), ".js", &mut scripts);
    for script in scripts {
        let text = std::fs::read_to_string(script).unwrap();
        for quote in ['\'', '`'] {
            named.extend(text.split(quote).map(starred).filter(|text| is_key(text)));
        }
    }
    let mut pages = Vec::new();
    files(&site(), ".html", &mut pages);
    for page in pages {
        let text = std::fs::read_to_string(page).unwrap();
        for mark in ["text", "label", "title", "placeholder"] {
            let mark = format!(" data-{mark}=\"");
            let marked = text.split(&mark).skip(1);
            named.extend(marked.map(|rest| rest.split_once('"').unwrap().0.to_owned()));
        }
    }
    named
}

/// `status.${state}` as `status.*`.
fn starred(text: &str) -> String {
    let mut parts = text.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |starred, part| {
        let rest = part.split_once('}').map_or("", |(_, rest)| rest);
        format!("{starred}*{rest}")
    })
}

fn is_key(text: &str) -> bool {
    let Some((group, rest)) = text.split_once('.') else {
        return false;
    };
    let groups: BTreeSet<String> = english().0.keys().map(|key| group_of(key)).collect();
    groups.contains(group)
        && !rest.is_empty()
        && rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-*".contains(c))
        && !["js", "html", "svg"].contains(&rest)
}

fn group_of(key: &str) -> String {
    key.split_once('.').unwrap().0.to_owned()
}

fn is_meant(name: &str, key: &str) -> bool {
    match name.split_once('*') {
        Some((start, end)) => key.starts_with(start) && key.ends_with(end),
        None => name == key,
    }
}

#[test]
fn every_word_is_said_somewhere_and_nothing_is_said_without_words() {
    let english = english();
    let named = named();
    assert!(named.len() > 150, "{named:?}");
    let unsaid: Vec<_> = english
        .0
        .keys()
        .filter(|key| !named.iter().any(|name| is_meant(name, key)))
        .collect();
    assert_eq!(
        unsaid,
        Vec::<&String>::new(),
        "no script or page says these"
    );
    let wordless: Vec<_> = named
        .iter()
        .filter(|name| !english.0.keys().any(|key| is_meant(name, key)))
        .collect();
    assert_eq!(
        wordless,
        Vec::<&String>::new(),
        "there are no words for these"
    );
}

#[test]
fn the_pages_come_with_the_english_words() {
    let english = english();
    let mut pages = Vec::new();
    files(&site(), ".html", &mut pages);
    assert!(pages.len() > 8);
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let spoken = super::super::html::speak(&text, "en", |word| {
            use super::super::html::Word;
            Ok(match word {
                Word::Text(key) => english.get(key).map(str::to_owned),
                Word::Title(key) => Some(format!("{} · Till", english.get(key).unwrap())),
                Word::Shop(_) => None,
            })
        });
        assert_eq!(spoken.unwrap(), text, "{}", page.display());
    }
}
