/**
 * A hop that takes 100 ms, so that a cancellation reaches a call while it waits. The real one is over before a
 * cancellation can arrive in local workerd, where everything shares one thread.
 */
export const hop = () => scheduler.wait(100);
