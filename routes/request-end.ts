// When a request is over, whatever became of it.
import type { Request, Response } from 'express';

/**
 * Runs once when the answer is sent or its connection is gone. Of a pipelined request whose turn
 * never came, the response has no socket and never says that it is closed: the connection does.
 */
export function onceOver(request: Request, response: Response, run: () => void): void {
  const { socket } = request;
  let isOver = false;
  const onOver = (): void => {
    response.off('close', onOver);
    socket.off('close', onOver);
    // The one may be told while the other is: taking the listener away is too late then.
    if (!isOver) {
      isOver = true;
      run();
    }
  };
  response.once('close', onOver);
  socket.once('close', onOver);
}
