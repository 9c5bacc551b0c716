/** What a new home's stacks/ directory says about itself. */
export const stacksReadme = `# Your stack

Put your policy here, as \`.vgo\` files (YAML). Nothing reaches a machine before you publish:

    vigocli config validate                # check, change nothing
    vigocli config plan                    # what would change on which machine
    vigocli config publish -m "a start"    # make it live

A first module, say \`modules/motd.vgo\`:

    name: motd
    resources:
      - name: message
        type: file
        target_path: /etc/motd
        content: |
          Kept by Vigo

And who gets it, say \`site.vgo\`:

    envoys:
      - match: "*"
        modules: motd

This README is not part of the stack.
`;
