import type { Rule } from '../repository.js';
import { heavyDependenciesUnreachable, heavyImports } from './heavy-dependencies.js';
import { gatewayStages, packageLayers, packagesHaveLayers } from './layers.js';
import { manifestFields, packagesAreWorkspaces, topLevelDocuments } from './manifests.js';
import { dependenciesMatchImports, noForeignPaths, referencesMatchDependencies } from './package-boundaries.js';
import { environmentOnlyInMain, noExportAll, noLongFiles, noVagueFolders, suppressionsHaveReasons } from './shape.js';
import { noForbiddenTexts } from './texts.js';

/** Every rule by the sentence it holds. */
export const rules: Readonly<Record<string, Rule>> = {
  'a package imports only packages of the layers below it': packageLayers,
  'every package has a layer': packagesHaveLayers,
  'a stage of the gateway imports no sibling stage': gatewayStages,
  'heavy dependencies cannot be reached from where they do not belong': heavyDependenciesUnreachable,
  'heavy dependencies are imported where they belong alone': heavyImports,
  'packages reach each other by name and exports, not by path': noForeignPaths,
  'declared dependencies are those imported': dependenciesMatchImports,
  'references of tsconfig.json are the dependencies': referencesMatchDependencies,
  'no file is past 500 lines': noLongFiles,
  'no folder has a name that says nothing': noVagueFolders,
  'only main.ts reads the environment': environmentOnlyInMain,
  'no module exports all of another': noExportAll,
  'every suppression names its rule and its reason': suppressionsHaveReasons,
  'no text names a machine, a registry host or unfinished work': noForbiddenTexts,
  'every package.json has licence, type and engines': manifestFields,
  'every package is a workspace and part of the build': packagesAreWorkspaces,
  'the documents a stranger looks for are there': topLevelDocuments,
};
