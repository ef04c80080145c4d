export {
  ACL_KINDS,
  DECLARED_KINDS,
  REPAIRED_CLASSES,
  apiVersionOf,
  collectionPath,
  comparedKind,
  isAclKind,
  kindNamed,
  type AclKind,
  type ComparedKind,
  type DeclaredKind,
  type DriftClass,
  type RepairedClass,
} from "./kinds";
export { DECLARATION, declaredKey, trustDigestAnnotation } from "./names";
export { STANDING_FOR, declarationParts, textDigest, writtenDown, type DeclaredObject, type Json } from "./object";
