export interface Mail {
  readonly to: string;
  readonly userId: number;
  readonly purpose: 'verify-email' | 'reset-password';
  /** For the link in the mail; stored nowhere in this form. */
  readonly token: string;
  readonly expiresAt: Date;
}

/** Sends mail. Over SMTP or a provider's API it is an implementation of this, given to buildApp. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

export interface MailLog {
  info(details: object, message: string): void;
}

/** Sends nothing and logs that it would have, without the address and the token. */
export function loggingMailer(log: MailLog): Mailer {
  return {
    async send({ userId, purpose }) {
      log.info({ userId, purpose }, 'a mail would be sent; no mailer is configured');
    },
  };
}
