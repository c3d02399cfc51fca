// Numbers for collections: psql asks for a name's oid first, then for all else by it.

/** Oids of one session; psql uses one for a moment only. */
const RELATIONS_MAX = 10_000;

/** PostgreSQL's own FirstNormalObjectId: no oid below is a user's. */
const FIRST_OID = 16_384;

export interface Relation {
  readonly database: string;
  readonly name: string;
  readonly isView: boolean;
}

/** Keeps the oids that a session was told; the oldest is forgotten for one too many. */
export class RelationOids {
  readonly #oids = new Map<string, string>();
  readonly #relations = new Map<string, Relation>();
  #next = FIRST_OID;

  /** The relation's oid, the same for as long as it is kept. */
  oid(relation: Relation): string {
    const key = JSON.stringify([relation.database, relation.name, relation.isView]);
    const known = this.#oids.get(key);
    if (known !== undefined) {
      return known;
    }
    const [oldest] = this.#oids;
    if (oldest !== undefined && this.#oids.size >= RELATIONS_MAX) {
      this.#oids.delete(oldest[0]);
      this.#relations.delete(oldest[1]);
    }
    const oid = `${this.#next}`;
    this.#next += 1;
    this.#oids.set(key, oid);
    this.#relations.set(oid, relation);
    return oid;
  }

  /** What the oid was given to. */
  relation(oid: string): Relation | undefined {
    return this.#relations.get(oid);
  }
}
