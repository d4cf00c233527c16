// Work that the app does on a thread: asked about until it ends; what it wrote is then fetched.

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// `far` hears of each answer on the way; the last one comes back.
const finish = async (first, far) => {
  let reply = first;
  let missed = 0;
  while (reply.work || (reply.error === 'offline' && missed < 10)) {
    if (reply.work) far(reply);
    missed = reply.error ? missed + 1 : 0;
    const { work } = reply.work ? reply : { work: first.work };
    if (!work) return reply;
    await pause(500);
    reply = await ask('work', { work });
  }
  return reply;
};

const sizeText = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

const farText = (reply) =>
  reply.total ? t('rows_of', { n: whole(reply.done), total: whole(reply.total) }) : t('at_work');
