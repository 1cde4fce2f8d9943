/** Whom a certificate is asked for. */
export interface CsrSubject {
  commonName: string
  organizations: string[]
}

/** Reads what `spec.request` holds: PEM, in base64. Rejects when it is none. Loads the X.509 library. */
export async function subjectOfRequest(request: string | undefined): Promise<CsrSubject> {
  // The library finds its parts through decorators' metadata, which the language does not have yet.
  await import('reflect-metadata')
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509')
  const { subjectName } = new Pkcs10CertificateRequest(Buffer.from(request ?? '', 'base64').toString())
  return { commonName: subjectName.getField('CN').at(-1) ?? '', organizations: subjectName.getField('O') }
}
