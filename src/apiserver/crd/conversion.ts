import type { apiextensions, KubeObject } from '../../api/index.ts'

export type Definition = apiextensions.CustomResourceDefinition

/** Brings objects of a custom resource to another of its versions: `example.com/v2`. */
export type Convert = (objects: KubeObject[], apiVersion: string) => KubeObject[] | Promise<KubeObject[]>

/** All versions have the same fields: only the version's name differs. */
export const renamed: Convert = (objects, apiVersion) => objects.map(object => ({ ...object, apiVersion }))
