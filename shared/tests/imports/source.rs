//! The workspace's packages, their modules, and what each of them names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    slice,
};

use syn::{
    Attribute, Expr, Item, Token, UseTree, Visibility,
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// All packages.
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
}

/// A package, with the modules of its library and its programs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    /// As its `Cargo.toml` has it.
    pub(crate) name: String,
    /// From the workspace's root.
    pub(crate) folder: String,
    /// What its code is compiled with, tests aside.
    pub(crate) dependencies: BTreeSet<String>,
    /// One tree a target, each beginning with its root.
    pub(crate) targets: Vec<Vec<Module>>,
}

/// A module, in a file of its own or within another's.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Module {
    /// From its crate's root, which has none.
    pub(crate) path: Vec<String>,
    /// From the workspace's root.
    pub(crate) file: String,
    /// Names that it brings in or hands on, and where they are from.
    pub(crate) imports: BTreeMap<String, Vec<String>>,
    /// Those of them that it hands on.
    pub(crate) handed_on: BTreeSet<String>,
    /// All of these is brought in.
    pub(crate) globs: Vec<Vec<String>>,
    /// Names of its own: types, functions, constants, children.
    pub(crate) own: BTreeSet<String>,
    /// What is named in full.
    pub(crate) named: BTreeSet<Vec<String>>,
}

impl Workspace {
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let members = manifest.split_once("\nmembers = [").unwrap().1;
        let members = members.split_once(']').unwrap().0;
        let folders = members.split('"').skip(1).step_by(2);
        Self {
            packages: folders.map(|folder| Package::read(root, folder)).collect(),
        }
    }

    pub(crate) fn package(&self, name: &str) -> &Package {
        let mut packages = self.packages.iter();
        packages.find(|package| package.name == name).unwrap()
    }
}

impl Package {
    fn read(root: &Path, folder: &str) -> Self {
        let manifest = fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
        let section = |name: &str| {
            let header = format!("[{name}]");
            let lines = manifest.lines().skip_while(move |line| *line != header);
            lines.skip(1).take_while(|line| !line.starts_with('['))
        };
        let name = section("package").find_map(|line| line.strip_prefix("name = "));
        let dependencies = section("dependencies").filter_map(|line| {
            let name = line.split(['.', ' ', '=']).next()?;
            (!name.is_empty() && !name.starts_with('#')).then(|| name.to_owned())
        });
        let sources = root.join(folder).join("src");
        let targets = ["lib.rs", "main.rs"].map(|target| sources.join(target));
        let targets = targets.iter().filter(|target| target.exists());
        Self {
            name: name.unwrap().trim_matches('"').to_owned(),
            folder: folder.to_owned(),
            dependencies: dependencies.collect(),
            targets: targets.map(|target| tree(root, target)).collect(),
        }
    }
}

/// The modules below the root in `file`.
fn tree(root: &Path, file: &Path) -> Vec<Module> {
    let mut reader = Reader {
        root,
        modules: Vec::new(),
    };
    reader.file(file, Vec::new(), file.parent().unwrap());
    reader.modules
}

struct Reader<'a> {
    root: &'a Path,
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// `below` is where the files of children are.
    fn file(&mut self, file: &Path, path: Vec<String>, below: &Path) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text);
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.module(file, path, below, &parsed.items);
    }

    fn module(&mut self, file: &Path, path: Vec<String>, below: &Path, items: &[Item]) {
        let place = self.modules.len();
        self.modules.push(Module {
            path: path.clone(),
            file: file.strip_prefix(self.root).unwrap().display().to_string(),
            ..Module::default()
        });
        for item in items {
            if let Item::Mod(child) = item
                && !is_for_tests(&child.attrs)
            {
                let name = child.ident.to_string();
                let path = [path.as_slice(), slice::from_ref(&name)].concat();
                match &child.content {
                    Some((_, items)) => self.module(file, path, &below.join(&name), items),
                    None => self.file(&file_of(below, &name), path, &below.join(&name)),
                }
            }
        }
        let module = &mut self.modules[place];
        for item in items {
            module.visit_item(item);
        }
    }
}

fn file_of(below: &Path, name: &str) -> PathBuf {
    let file = below.join(name).with_extension("rs");
    match file.exists() {
        true => file,
        false => below.join(name).join("mod.rs"),
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |path: syn::Path| path.is_ident("test");
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(is_test)
    })
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before);
                }
            }
            UseTree::Glob(_) => self.globs.push(before.to_vec()),
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().unwrap().clone();
                self.imports.insert(last, before.to_vec());
            }
            UseTree::Name(name) => {
                self.imports
                    .insert(name.ident.to_string(), with(&name.ident));
            }
            UseTree::Rename(name) if name.ident == "self" => {
                self.imports
                    .insert(name.rename.to_string(), before.to_vec());
            }
            UseTree::Rename(name) => {
                self.imports
                    .insert(name.rename.to_string(), with(&name.ident));
            }
        }
    }

    fn own(&mut self, name: &syn::Ident) {
        self.own.insert(name.to_string());
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Mod(item) => (&item.attrs, Some(&item.ident)),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            _ => return visit::visit_item(self, item),
        };
        if is_for_tests(attributes) {
            return;
        }
        if let Some(name) = name {
            self.own(name);
        }
        match item {
            // It is a module of its own here.
            Item::Mod(_) => {}
            Item::Use(item) => {
                let before: BTreeSet<_> = self.imports.keys().cloned().collect();
                self.import(&item.tree, &[]);
                if !matches!(item.vis, Visibility::Inherited) {
                    let all = self.imports.keys();
                    let new = all.filter(|name| !before.contains(*name));
                    self.handed_on.extend(new.cloned());
                }
            }
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        self.named.insert(names.collect());
        visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(arguments) = call.parse_body_with(arguments) {
            // What is parsed here lives no longer than this call, so it is read by itself.
            let mut within = Self::default();
            for argument in &arguments {
                within.visit_expr(argument);
            }
            self.named.extend(within.named);
        }
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}
