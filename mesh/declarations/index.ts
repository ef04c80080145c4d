export {
  DECLARED_KINDS,
  REPAIRED_CLASSES,
  apiVersionOf,
  collectionPath,
  kindNamed,
  type DeclaredKind,
  type DriftClass,
  type RepairedClass,
} from "./kinds";
export { DECLARATION, declaredKey, trustDigestAnnotation } from "./names";
export { STANDING_FOR, declarationParts, textDigest, writtenDown, type DeclaredObject, type Json } from "./object";
