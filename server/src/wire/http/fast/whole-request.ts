import type { IncomingHttpHeaders } from 'node:http';

/** A POST to a gateway that was there as a whole, body and all, when it was read. */
export class WholeRequest {
  readonly method = 'POST';
  readonly complete = true;
  readonly httpVersion = '1.1';
  readonly url: string;
  /** By their names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** As they were sent: name, value, name, value. */
  readonly rawHeaders: string[];
  readonly body: Buffer;
  /** That of the gateway. */
  readonly slug: string;

  constructor(url: string, slug: string, headers: IncomingHttpHeaders, rawHeaders: string[], body: Buffer) {
    this.url = url;
    this.slug = slug;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.body = body;
  }
}
