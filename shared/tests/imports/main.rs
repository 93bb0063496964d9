//! Which file of the workspace may use which.
//!
//! An *arrow* goes from a file to the file that defines what it names, in a `use` or in full, also
//! within the arguments of a macro. Re-exports are followed to the definition: whoever takes a name
//! from a parent that hands it on uses the child that defines it. Neither declaring a child nor
//! handing its names on uses it; working with them does. Code for tests alone draws no arrows.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends so"
)]

mod arrows;
mod circles;
mod source;

use std::collections::BTreeSet;

use arrows::{Arrows, Target};
use circles::Circle;
use source::{Package, Workspace};

/// The domain: what a shop is, whoever stores, pays and mails.
const DOMAIN: [&str; 8] = [
    "money",
    "product",
    "shipping",
    "cart",
    "purchase",
    "invoice",
    "subscription",
    "standing",
];
/// What the domain may use of `shared` besides itself: how strangers' text is read.
const ALSO: [&str; 2] = ["plain", "json"];

/// Circles that are there, each by the files or folders it stays within. Strike off what is not one
/// any more.
const KNOWN_CIRCLES: &[&[&str]] = &[];

#[test]
fn the_domain_knows_neither_aws_nor_stripe_nor_http() {
    let workspace = Workspace::read();
    let shared = workspace.package("shared");
    let arrows = Arrows::of(&workspace, shared);
    let mut wrong = Vec::new();
    for (module, target) in arrows.named() {
        let [first, ..] = module.path.as_slice() else {
            continue;
        };
        if !DOMAIN.contains(&first.as_str()) {
            continue;
        }
        let file = &module.file;
        match target {
            Target::Module(path) => {
                let first = path.first().map_or("", String::as_str);
                if !DOMAIN.contains(&first) && !ALSO.contains(&first) {
                    wrong.push(format!("{file} uses {}", path.join("::")));
                }
            }
            Target::Outside(path) => {
                let name = path.first().map_or("", String::as_str);
                let forbidden = ["aws_", "stripe_", "lambda_", "http", "hyper"];
                if forbidden.iter().any(|prefix| name.starts_with(prefix)) {
                    wrong.push(format!("{file} uses the crate {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_function_does_what_only_people_do() {
    const OPERATOR: [&str; 3] = ["shared", "store", "operator"];
    let workspace = Workspace::read();
    let mut wrong = Vec::new();
    for function in workspace.packages.iter().filter(is_function) {
        for (module, target) in Arrows::of(&workspace, function).named() {
            if let Target::Outside(path) = target
                && path
                    .iter()
                    .zip(OPERATOR)
                    .all(|(name, operator)| name == operator)
                && path.len() >= OPERATOR.len()
            {
                wrong.push(format!("{} uses {}", module.file, path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_function_uses_another() {
    let workspace = Workspace::read();
    let functions: BTreeSet<_> = workspace.packages.iter().filter(is_function).collect();
    let names: BTreeSet<_> = functions.iter().map(|package| &package.name).collect();
    assert!(names.len() > 1, "no functions were found");
    for function in functions {
        for dependency in &function.dependencies {
            assert!(
                !names.contains(dependency),
                "{} depends on {dependency}",
                function.folder
            );
        }
    }
}

#[test]
fn shared_uses_no_other_crate_of_the_workspace() {
    let workspace = Workspace::read();
    let names: BTreeSet<_> = workspace.packages.iter().map(|one| &one.name).collect();
    let dependencies = &workspace.package("shared").dependencies;
    let uses: Vec<_> = dependencies
        .iter()
        .filter(|one| names.contains(one))
        .collect();
    assert!(uses.is_empty(), "shared depends on {uses:?}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let workspace = Workspace::read();
    let mut found = Vec::new();
    for package in &workspace.packages {
        let arrows = Arrows::of(&workspace, package).between_files();
        found.extend(circles::of(&arrows));
    }
    let is_within = |circle: &Circle, known: &[&str]| {
        let mut files = circle.files.iter();
        files.all(|file| known.iter().any(|start| file.starts_with(start)))
    };
    let mut wrong = Vec::new();
    for circle in &found {
        if !KNOWN_CIRCLES.iter().any(|known| is_within(circle, known)) {
            wrong.push(format!("a circle: {}", circle.shown));
        }
    }
    for known in KNOWN_CIRCLES {
        if !found.iter().any(|circle| is_within(circle, known)) {
            wrong.push(format!("not a circle any more: {}", known.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_function(package: &&Package) -> bool {
    package.folder.starts_with("functions/")
}
