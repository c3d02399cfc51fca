// The part of OpenAPI 3.1 that the API's description is made of.
import type { z } from 'zod';

/** A JSON Schema, draft 2020-12, as zod writes it; also a reference to one. */
export type Schema = z.core.JSONSchema.BaseSchema;

/** Points into the document: `#/components/headers/ETag`. */
export interface Reference {
  readonly $ref: string;
}

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

/** By short names. */
export type Examples = Readonly<Record<string, Example>>;

export interface MediaType {
  readonly schema: Schema;
  readonly examples?: Examples;
}

/** By content type. */
export type Content = Readonly<Record<string, MediaType>>;

export interface Header {
  readonly description: string;
  readonly required?: true;
  readonly schema: Schema;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required?: true;
  readonly style?: 'form';
  readonly explode?: true;
  readonly schema: Schema;
  /** An object is a parameter for each of its members. */
  readonly example?: string | number | Readonly<Record<string, string>>;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Reference>>;
  readonly content?: Content;
}

/** By status, or `default` for all others. */
export type Responses = Readonly<Record<string, Response | Reference>>;

/** Scopes that a token needs, by scheme; none at all is one way to say that it needs no token. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>;

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly [string];
  readonly summary: string;
  /** Paragraphs; CommonMark, of which only `code` is used. */
  readonly description?: string;
  /** One of them is enough. */
  readonly security: readonly SecurityRequirement[];
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Responses;
}

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export type Method = (typeof METHODS)[number];

export interface PathItem extends Readonly<Partial<Record<Method, Operation>>> {
  /** Of all its operations. */
  readonly parameters?: readonly (Parameter | Reference)[];
}

export type Paths = Readonly<Record<string, PathItem>>;

/** As it is written: who may use it is added from the table of scopes. */
export type DraftOperation = Omit<Operation, 'security'>;

export interface DraftPathItem extends Readonly<Partial<Record<Method, DraftOperation>>> {
  readonly parameters?: readonly (Parameter | Reference)[];
}

export type DraftPaths = Readonly<Record<string, DraftPathItem>>;

export interface Components {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly headers: Readonly<Record<string, Header>>;
  readonly responses: Readonly<Record<string, Response>>;
  readonly securitySchemes: Readonly<Record<string, SecurityScheme>>;
}

type SecurityScheme =
  | { readonly type: 'http'; readonly scheme: 'bearer'; readonly description: string }
  | {
      readonly type: 'apiKey';
      readonly in: 'cookie';
      readonly name: string;
      readonly description: string;
    };

export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly summary: string;
    readonly description: string;
    readonly license: { readonly name: string; readonly identifier: string };
  };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Paths;
  readonly components: Components;
}
