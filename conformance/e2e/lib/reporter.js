// A reporter for Node's test runner: a line of JSON when a scenario starts and
// one when it ends, for the Go test to read.

export default async function* lines(source) {
  for await (const { type, data } of source) {
    if (data.nesting !== 0) continue;
    switch (type) {
      case 'test:dequeue': // test:start comes when the scenario is over
        yield line({ type: 'start', name: data.name });
        break;
      case 'test:pass':
        yield line({ type: 'end', name: data.name, ok: true, skip: data.skip });
        break;
      case 'test:fail':
        yield line({ type: 'end', name: data.name, ok: false, error: reason(data.details.error) });
        break;
    }
  }
}

const line = (value) => JSON.stringify(value) + '\n';

// reason is the error itself, without what the runner wraps it in, and where
// in our files it happened.
function reason(error) {
  const cause = error?.cause instanceof Error ? error.cause : error;
  const where = String(cause?.stack ?? '')
    .split('\n')
    .filter((l) => l.trimStart().startsWith('at ') && !l.includes('node_modules') && !l.includes('node:'));
  return [cause?.message ?? String(cause), ...where].join('\n');
}
