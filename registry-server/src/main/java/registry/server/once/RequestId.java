package registry.server.once;

/**
 * Names one write, however often it is sent.
 *
 * @param client who asks: made by chance when its process began
 * @param number counts that one's writes, from 1
 * @param oldest the lowest number whose answer its client still waits for: answers below it need
 *     not be kept, and whatever comes below it is too late
 */
public record RequestId(String client, long number, long oldest) {}
