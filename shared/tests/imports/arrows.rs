//! From a name to the file that defines it.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use crate::source::{Module, Package, Workspace};

/// What the modules of one package name.
pub(crate) struct Arrows<'a> {
    named: Vec<(&'a Module, Target)>,
    files: BTreeMap<String, BTreeSet<String>>,
}

/// Where a name is defined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// In this module of the same crate.
    Module(Vec<String>),
    /// In another crate: the whole path, the crate's name first.
    Outside(Vec<String>),
}

/// Where following a path ends.
enum End<'a> {
    /// At something that this module defines.
    Item(&'a Module),
    /// At the module itself, of which nothing is named.
    Whole(&'a Module),
    Outside(Vec<String>),
    /// At nothing with a file of its own: a local name, a variant, a primitive type.
    Nowhere,
}

/// Re-exports of re-exports are followed so far.
const DEEPEST: u8 = 16;

impl<'a> Arrows<'a> {
    pub(crate) fn of(workspace: &Workspace, package: &'a Package) -> Self {
        let mut arrows = Self {
            named: Vec::new(),
            files: BTreeMap::new(),
        };
        let outside: BTreeSet<_> = package
            .dependencies
            .iter()
            .chain(workspace.packages.iter().map(|package| &package.name))
            .map(|name| name.replace('-', "_"))
            .collect();
        for modules in &package.targets {
            let names = Names {
                modules,
                outside: &outside,
            };
            for module in modules {
                arrows.add(&names, module);
            }
        }
        arrows
    }

    fn add(&mut self, names: &Names<'a, '_>, module: &'a Module) {
        let from = self.files.entry(module.file.clone()).or_default();
        let globs = module.globs.iter().map(|path| (path, true));
        let imports = module.imports.iter();
        let imports = imports.filter(|(name, _)| !module.handed_on.contains(*name));
        let imports = imports.map(|(_, path)| (path, false));
        let named = module.named.iter().map(|path| (path, false));
        for (path, is_glob) in globs.chain(imports).chain(named) {
            let target = match names.follow(module, path, DEEPEST) {
                End::Item(target) => target,
                End::Whole(target) if is_glob => target,
                End::Outside(path) => {
                    self.named.push((module, Target::Outside(path)));
                    continue;
                }
                End::Whole(_) | End::Nowhere => continue,
            };
            self.named
                .push((module, Target::Module(target.path.clone())));
            if target.file != module.file {
                from.insert(target.file.clone());
            }
        }
    }

    /// Which module names what.
    pub(crate) fn named(&self) -> impl Iterator<Item = &(&'a Module, Target)> {
        self.named.iter()
    }

    /// Which file uses which.
    pub(crate) fn between_files(self) -> BTreeMap<String, BTreeSet<String>> {
        self.files
    }
}

/// The modules of one crate, by which its paths are followed.
struct Names<'a, 'o> {
    modules: &'a [Module],
    outside: &'o BTreeSet<String>,
}

impl<'a> Names<'a, '_> {
    fn module(&self, path: &[String]) -> Option<&'a Module> {
        self.modules.iter().find(|module| module.path == path)
    }

    /// A path as it is written in `from`.
    fn follow(&self, from: &'a Module, path: &[String], depth: u8) -> End<'a> {
        let (Some((first, rest)), Some(depth)) = (path.split_first(), depth.checked_sub(1)) else {
            return End::Nowhere;
        };
        let parent = || {
            from.path
                .split_last()
                .and_then(|(_, path)| self.module(path))
        };
        let start = match first.as_str() {
            "crate" => self.module(&[]),
            "self" => Some(from),
            "super" => parent(),
            _ if from.own.contains(first) || from.imports.contains_key(first) => {
                let is_itself = from.imports.get(first).is_some_and(|import| import == path);
                if is_itself && self.outside.contains(first) {
                    return End::Outside(path.to_vec());
                }
                return self.walk(from, path, depth);
            }
            name if self.outside.contains(name) => return End::Outside(path.to_vec()),
            _ => None,
        };
        match start {
            Some(module)
                if first == "super" && rest.first().is_some_and(|next| next == "super") =>
            {
                self.follow(module, rest, depth)
            }
            Some(module) => self.walk(module, rest, depth),
            None => self.by_glob(from, path, depth).unwrap_or(End::Nowhere),
        }
    }

    /// A path from `module` on.
    fn walk(&self, module: &'a Module, path: &[String], depth: u8) -> End<'a> {
        let (Some((name, rest)), Some(depth)) = (path.split_first(), depth.checked_sub(1)) else {
            return End::Whole(module);
        };
        let child = [module.path.as_slice(), slice::from_ref(name)].concat();
        if let Some(child) = self.module(&child) {
            return self.walk(child, rest, depth);
        }
        if let Some(import) = module.imports.get(name) {
            if import.first() == Some(name) && self.outside.contains(name) {
                return End::Outside([import, rest].concat());
            }
            let path = [import, rest].concat();
            return self.follow_import(module, &path, depth);
        }
        if module.own.contains(name) {
            return End::Item(module);
        }
        self.by_glob(module, path, depth).unwrap_or(End::Nowhere)
    }

    /// What an import says: its first name is a module's, or a crate's, but not the import's own.
    fn follow_import(&self, module: &'a Module, path: &[String], depth: u8) -> End<'a> {
        let Some((first, rest)) = path.split_first() else {
            return End::Nowhere;
        };
        let child = [module.path.as_slice(), slice::from_ref(first)].concat();
        match self.module(&child) {
            Some(child) => self.walk(child, rest, depth),
            None if self.outside.contains(first) => End::Outside(path.to_vec()),
            None => self.follow(module, path, depth),
        }
    }

    fn by_glob(&self, module: &'a Module, path: &[String], depth: u8) -> Option<End<'a>> {
        module.globs.iter().find_map(|glob| {
            let End::Whole(target) = self.follow(module, glob, depth) else {
                return None;
            };
            let name = path.first()?;
            let has = target.own.contains(name) || target.imports.contains_key(name);
            has.then(|| self.walk(target, path, depth))
        })
    }
}
