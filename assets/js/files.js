// Files between a page and the app, by gradio's own routes.

// Sends a file; `far` hears what share of it went. The reply has its path there, or an error.
const sendFile = (file, far, signal) =>
  new Promise((done) => {
    if (file.size > props.limits.upload) return done({ error: 'upload_too_large', size: sizeText(props.limits.upload) });
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append('files', file, file.name);
    request.upload.addEventListener('progress', (event) => far(event.loaded / (event.total || 1)));
    request.addEventListener('load', () => {
      if (request.status === 413) return done({ error: 'upload_too_large', size: sizeText(props.limits.upload) });
      try {
        done({ path: JSON.parse(request.responseText)[0] });
      } catch {
        done({ error: 'upload_failed' });
      }
    });
    request.addEventListener('error', () => done({ error: 'upload_failed' }));
    request.addEventListener('abort', () => done({ stopped: true }));
    signal.addEventListener('abort', () => request.abort());
    request.open('POST', new URL('gradio_api/upload', document.baseURI.split(/[?#]/)[0]));
    request.send(body);
  });

// Saves what the app wrote.
const fetchFile = (path) => {
  const link = make('a', '');
  link.href = new URL('gradio_api/file=' + encodeURI(path), document.baseURI);
  link.download = '';
  root.append(link);
  link.click();
  link.remove();
};
