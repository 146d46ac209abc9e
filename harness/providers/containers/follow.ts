import type Docker from 'dockerode';

/** Follows what the engine tells while it pulls or builds. Rejects when that fails, which it tells like everything else. */
export async function follow(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onText: (text: string) => void = () => {},
): Promise<void> {
  let failure: string | undefined;
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => (error ? reject(error) : resolve()),
      ({ stream: text, error }: { stream?: string; error?: string }) => {
        if (text !== undefined) onText(text);
        failure ??= error;
      },
    );
  });
  if (failure !== undefined) throw new Error(failure);
}
